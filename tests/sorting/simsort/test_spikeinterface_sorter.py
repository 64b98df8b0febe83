"""SimSort as one of SpikeInterface's sorters; the pipeline itself is a fake here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spikeinterface as si
from spikeinterface.sorters import (
    get_default_sorter_params,
    get_sorter_description,
    get_sorter_params_description,
    installed_sorters,
    run_sorter,
    run_sorter_by_property,
    sorter_dict,
    sorter_full_list,
)

from spikeline import __version__
from spikeline.artifacts.pickles import pickle_inside
from spikeline.config.simsort import SimSortSettings
from spikeline.config.sorting import ScoringSettings, SorterSettings
from spikeline.errors import ConfigError, DataError, FormatError
from spikeline.sorting.run import sort_recording
from spikeline.sorting.scoring import score_sorting
from spikeline.sorting.simsort.paper import sorting as published
from spikeline.sorting.simsort.paper.sorting import PaperSorted
from spikeline.sorting.simsort.spikeinterface_sorter import SimSortSorter, register
from tests.saved_recordings import closed_files, saved
from tests.sorting.simsort.handmade_networks import write_handmade_networks
from tests.sorting.simsort.paper.handmade_paper_networks import write_paper_networks
from tests.sorting.simsort.simsort_fakes import FakePipeline, fake_pipeline
from tests.sorting.trains import RATE_HZ, recording_of, synthetic_tetrode

__all__ = ["closed_files", "fake_pipeline"]
pytestmark = pytest.mark.usefixtures("closed_files")

WEIGHTS = ["detector.safetensors", "detector.card.json", "identifier.safetensors", "identifier.card.json"]


@pytest.fixture
def tetrode(tmp_path: Path) -> si.BaseRecording:
    return saved(synthetic_tetrode(4.0)[0], tmp_path / "recording")


def _loaded(code: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize(
    "imports",
    [
        "import spikeline.sorting, spikeinterface.sorters",
        "import spikeinterface.sorters, spikeline.sorting",
        "import spikeline.sorting, spikeinterface.full",
        "import spikeline.sorting.simsort.spikeinterface_sorter, spikeinterface.sorters",
        "import spikeline.sorting, importlib, spikeinterface.sorters; importlib.reload(spikeline.sorting)",
    ],
)
def test_whichever_is_imported_first_it_is_registered_once(imports: str) -> None:
    show = "from spikeinterface.sorters import sorter_full_list, available_sorters; import sys"
    count = "print(available_sorters().count('simsort'), [s.sorter_name for s in sorter_full_list].count('simsort'))"
    waiting = "print(sum(type(finder).__name__ == '_WaitForSorters' for finder in sys.meta_path))"
    assert _loaded(f"{imports}\n{show}\n{count}\n{waiting}") == ["1", "1", "0"]


def test_importing_the_room_imports_neither_spikeinterface_nor_torch() -> None:
    modules = ["spikeinterface", "spikeinterface.sorters", "torch", "lightning", "numpy"]
    show = f"import sys; print(*[m for m in {modules} if m in sys.modules])"
    assert _loaded(f"import spikeline.sorting\n{show}") == []
    # SpikeInterface without its sorters does not bring ours along
    assert "spikeinterface.sorters" not in _loaded(f"import spikeline.sorting, spikeinterface.core\n{show}")


def test_a_failed_import_of_spikeinterface_is_its_own_and_can_be_tried_again() -> None:
    code = (
        "import sys, spikeline.sorting\n"
        "sys.modules['spikeinterface.core'] = None\n"
        "try:\n    import spikeinterface.sorters\nexcept ImportError as error:\n    print('spikeline' in str(error))\n"
        "del sys.modules['spikeinterface.core']\n"
        "import spikeinterface.sorters\n"
        "print('simsort' in spikeinterface.sorters.sorter_dict)"
    )
    assert _loaded(code) == ["False", "True"]


def test_again_changes_nothing() -> None:
    before = dict(sorter_dict), list(sorter_full_list)
    register()
    assert (sorter_dict, sorter_full_list) == before


def test_what_spikeinterface_lists() -> None:
    parameters = get_default_sorter_params("simsort")
    assert set(SimSortSettings.model_fields) < set(parameters)
    assert (parameters["weights"], parameters["device"], parameters["job_kwargs"]) == (None, "auto", {})
    descriptions = get_sorter_params_description("simsort")
    assert set(descriptions) == set(parameters)
    assert all(descriptions.values())
    assert "overlapping" in get_sorter_description("simsort")
    assert "simsort" in installed_sorters()
    assert SimSortSorter.get_sorter_version() == __version__


def test_run_sorter(tetrode: si.BaseRecording, fake_pipeline: FakePipeline, tmp_path: Path) -> None:
    for name in WEIGHTS:
        (tmp_path / name).touch()
    found = run_sorter(
        "simsort", tetrode, folder=tmp_path / "out",
        weights=tmp_path, seed=np.int64(7), device="cpu", progress_bar=True, job_kwargs={"n_jobs": 2},
    )  # fmt: skip
    [call] = fake_pipeline.calls
    assert call["settings"] == SimSortSettings()
    assert {key: call[key] for key in ("weights", "threads", "device", "progress")} == {
        "weights": str(tmp_path), "threads": 2, "device": "cpu", "progress": True,
    }  # fmt: skip
    assert list(found.unit_ids) == ["0", "1", "2"]
    assert list(found.get_property("channel")) == list(tetrode.channel_ids[:3])
    assert list(found.get_property("mean_score")) == [100.0, 101.0, 102.0]
    assert found.sampling_frequency == RATE_HZ
    again = si.load(tmp_path / "out")
    assert np.array_equal(again.to_spike_vector(), found.to_spike_vector())
    assert again.has_recording()
    pickles = {path: pickle_inside(path) for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert pickles
    assert not any(pickles.values())


def test_a_sorting_analyzer_of_the_result(
    tetrode: si.BaseRecording, fake_pipeline: FakePipeline, tmp_path: Path
) -> None:
    found = run_sorter("simsort", tetrode, folder=tmp_path / "out", delete_output_folder=True)
    analyzer = si.create_sorting_analyzer(found, tetrode, sparse=False)
    analyzer.compute(["random_spikes", "templates", "noise_levels"])
    assert analyzer.get_extension("templates").get_data().shape[0] == 3


def test_each_group_of_channels_on_its_own(fake_pipeline: FakePipeline, tmp_path: Path) -> None:
    traces, silent = synthetic_tetrode(3.0)[0].get_traces(), np.random.default_rng(0).normal(0, 8, (30_000, 4))
    recording = si.NumpyRecording([np.hstack([traces, silent]).astype(np.float32)], RATE_HZ)
    corners = np.array([[0, 0], [0, 13], [13, 0], [13, 13]])
    recording.set_dummy_probe_from_locations(np.vstack([corners, corners + 500]))
    recording.set_property("group", [0] * 4 + [1] * 4)
    recording = saved(recording, tmp_path / "recording")
    with pytest.warns(UserWarning, match="no unit with enough spikes was found"):
        found = run_sorter_by_property("simsort", recording, "group", folder=tmp_path / "out")
    assert list(found.get_property("group")) == [0, 0, 0]
    assert len(fake_pipeline.calls) == 2


def test_no_spikes_are_an_empty_sorting_that_says_so(fake_pipeline: FakePipeline, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(0, 8, (20_000, 4)).astype(np.float32)
    recording = saved(recording_of(noise), tmp_path / "recording")
    with pytest.warns(UserWarning, match="no unit with enough spikes was found; the sorting has none"):
        found = run_sorter("simsort", recording, folder=tmp_path / "out")
    assert len(found.unit_ids) == 0
    assert found.get_annotation("note") == "no unit with enough spikes was found"
    with pytest.warns(UserWarning, match="no unit with enough spikes was found"):
        found = sort_recording(recording, SorterSettings(sorter="simsort"))
    assert len(found.unit_ids) == 0
    assert found.get_annotation("note")


def test_a_run_sets_threads_and_seed(
    fake_pipeline: FakePipeline, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    recording, _ = synthetic_tetrode(3.0)
    found = sort_recording(recording, SorterSettings(sorter="simsort"), threads=2, seed=9)
    assert len(found.unit_ids) == 3
    assert fake_pipeline.calls[0]["threads"] == 2
    assert "seed" not in fake_pipeline.calls[0]  # the default preset draws nothing
    given = {}
    nothing = PaperSorted(*(np.empty(0, np.int64) for _ in range(4)))
    monkeypatch.setattr(published, "sort_as_published", lambda *_, **options: given.update(options) or nothing)
    weights = str(write_paper_networks(tmp_path))
    as_published = SorterSettings(sorter="simsort", parameters={"preset": "paper", "weights": weights})
    assert len(sort_recording(recording, as_published, threads=2, seed=9).unit_ids) == 0
    assert (given["threads"], given["seed"]) == (2, 9)
    with pytest.raises(ConfigError, match="threads and the seed are the run's"):
        sort_recording(recording, SorterSettings(sorter="simsort", parameters={"seed": 9}))


@pytest.mark.parametrize("n_channels", [1, 3])
def test_few_channels_need_no_probe(n_channels: int, fake_pipeline: FakePipeline, tmp_path: Path) -> None:
    traces = synthetic_tetrode(3.0)[0].get_traces()[:, :n_channels]
    recording = saved(recording_of(traces, probe=False), tmp_path / "recording")
    found = run_sorter("simsort", recording, folder=tmp_path / "out")
    assert len(found.unit_ids) == n_channels
    assert fake_pipeline.calls[0]["recording"].has_probe()
    assert not recording.has_probe()


def test_samples_without_a_gain_are_sorted(fake_pipeline: FakePipeline, tmp_path: Path) -> None:
    traces = synthetic_tetrode(3.0)[0].get_traces().astype(np.int16)
    recording = si.NumpyRecording([traces], RATE_HZ)
    recording.set_dummy_probe_from_locations(np.array([[0, 0], [0, 13], [13, 0], [13, 13]]))
    recording = saved(recording, tmp_path / "recording")
    assert not recording.has_scaleable_traces()
    assert len(run_sorter("simsort", recording, folder=tmp_path / "out").unit_ids) == 3


def _normal(n_samples: int = 20_000, n_channels: int = 4) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 8, (n_samples, n_channels)).astype(np.float32)


def _with(value: float, channel: int, start: int = 0, stop: int | None = None) -> np.ndarray:
    traces = _normal()
    traces[start:stop, channel] = value
    return traces


@pytest.mark.parametrize(
    ("traces", "probe", "message"),
    [
        (_with(np.nan, 2, 12_345, 12_346), True, r"nan at 1\.2345 s on channel 2"),
        (_with(5.0, 1), True, r"channel 1 are constant[\s\S]*remove_channels\(\[1\]\)"),
        (_normal(9_000), True, r"lasts 0\.9 s"),
        (_normal(20_000, 5), False, "no probe"),
        (_normal(20_000, 0), False, "no channels"),
    ],
)
def test_a_recording_that_cannot_be_sorted_is_refused_by_name(
    traces: np.ndarray, probe: bool, message: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    recording = recording_of(traces, probe=probe)
    if traces.shape[1]:
        recording = saved(recording, tmp_path / "recording")
    else:  # SpikeInterface cannot save nothing
        monkeypatch.setattr(type(recording), "check_serializability", lambda self, type: True)
    with pytest.raises(DataError, match=message):
        run_sorter("simsort", recording, folder=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_several_segments_are_refused(tetrode: si.BaseRecording, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="2 segments"):
        run_sorter("simsort", si.append_recordings([tetrode, tetrode]), folder=tmp_path / "out")


def test_a_recording_in_memory_is_refused_rather_than_pickled(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"recording\.save"):
        run_sorter("simsort", synthetic_tetrode(3.0)[0], folder=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_constant_stretch_is_no_constant_channel(fake_pipeline: FakePipeline, tmp_path: Path) -> None:
    traces = np.vstack([_with(5.0, 1)] * 6)
    traces[-1, 1] = 6.0
    recording = saved(recording_of(traces), tmp_path / "recording")
    with pytest.warns(UserWarning, match="no unit"):
        run_sorter("simsort", recording, folder=tmp_path / "out")


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"device": "gpu"}, "one of auto, cpu, cuda"),
        ({"weights": "nowhere"}, "nowhere lacks detector.safetensors"),
        ({"detection_probability": 30}, "detection_probability = 30"),
        ({"fewest_spikes": 2.5}, "fewest_spikes"),
    ],
)
def test_parameters_that_cannot_be_used(
    parameters: dict[str, Any], message: str, tetrode: si.BaseRecording, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=message):
        run_sorter("simsort", tetrode, folder=tmp_path / "out", **parameters)


def test_a_cuda_device_that_is_not_there(
    tetrode: si.BaseRecording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match="sees no GPU"):
        run_sorter("simsort", tetrode, folder=tmp_path / "out", device="cuda")


def test_an_error_of_the_sorting_comes_as_itself(
    tetrode: si.BaseRecording, tmp_path: Path, fake_pipeline: FakePipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise FormatError("a torn file", "a whole one", "fetch it again")

    monkeypatch.setattr(fake_pipeline, "sort", fail)
    with pytest.raises(FormatError, match=r"a torn file[\s\S]*fetch it again"):
        run_sorter("simsort", tetrode, folder=tmp_path / "out")
    with pytest.raises(FormatError, match="a torn file"):
        sort_recording(tetrode, SorterSettings(sorter="simsort"))
    monkeypatch.setattr(fake_pipeline, "sort", lambda *arguments, **options: 1 / 0)
    with pytest.raises(DataError, match=r"sorter 'simsort' failed: ZeroDivisionError"):
        sort_recording(tetrode, SorterSettings(sorter="simsort"))


def test_the_real_pipeline_finds_easy_units(tmp_path: Path) -> None:
    """From the folder to the units, with networks made by hand in place of trained ones."""
    recording, truth = synthetic_tetrode(20.0)
    weights = write_handmade_networks(tmp_path / "weights")
    found = run_sorter("simsort", saved(recording, tmp_path / "recording"), folder=tmp_path / "out", weights=weights)
    _, counts = score_sorting(truth, found, ScoringSettings(), recording="r", sorter="simsort")
    assert counts["well_detected"].item() == 3
    assert sorted(found.get_property("channel")) == [0, 1, 2]
