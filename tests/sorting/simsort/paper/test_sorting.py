"""The published sorting end to end, with networks made by hand, its defects by switch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spikeinterface as si
from click.testing import CliRunner
from scipy.signal import resample_poly
from sklearn.decomposition import PCA
from spikeinterface.sorters import run_sorter

from spikeline.artifacts import read_weights, write_weights
from spikeline.cli import command_line
from spikeline.config.simsort import PaperSortingSettings
from spikeline.config.sorting import ScoringSettings, SorterSettings
from spikeline.errors import ConfigError, DataError, FormatError
from spikeline.sorting.catalogue import check_sorters
from spikeline.sorting.run import sort_recording
from spikeline.sorting.scoring import score_sorting
from spikeline.sorting.simsort.paper import clustering, identifier
from spikeline.sorting.simsort.paper.networks import load_paper_networks
from spikeline.sorting.simsort.paper.sorting import PaperSorted, chunk_bounds, sort_as_published
from spikeline.sorting.sorting_file import make_sorting, read_sorting
from tests.saved_recordings import closed_files, saved
from tests.sorting.simsort.handmade_networks import write_handmade_networks
from tests.sorting.simsort.paper.handmade_paper_networks import write_paper_networks
from tests.sorting.trains import RATE_HZ, recording_of, synthetic_tetrode

__all__ = ["closed_files"]
pytestmark = pytest.mark.usefixtures("closed_files")

FEW_UNITS = {"bandwidth_quantile": 0.3}


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_paper_networks(tmp_path_factory.mktemp("paper"))


@pytest.fixture
def quick_reduction(monkeypatch: pytest.MonkeyPatch) -> None:
    """Principal components in place of UMAP, where UMAP is not what is tested: it takes seconds."""
    monkeypatch.setattr(
        clustering, "umap_reduced", lambda points, seed: PCA(2, random_state=seed).fit_transform(points)
    )


def sorted_by(recording: si.BaseRecording, weights: Path, **settings: Any) -> PaperSorted:
    return sort_as_published(
        recording, PaperSortingSettings(**{**FEW_UNITS, **settings}), weights=weights, device="cpu"
    )


def counts(found: PaperSorted, truth: si.BaseSorting) -> Any:
    names = [str(unit) for unit in range(len(found.unit_channels))]
    sorting = make_sorting(found.spike_samples, found.unit_index, names, truth.sampling_frequency)
    return score_sorting(truth, sorting, ScoringSettings(), recording="r", sorter="s")[1]


def test_easy_units_are_found_and_the_quantile_decides_how_many(weights: Path, tmp_path: Path) -> None:
    """By run_sorter, UMAP included."""
    recording, truth = synthetic_tetrode(20.0)
    here = saved(recording, tmp_path / "recording")
    found = run_sorter(
        "simsort", here, folder=tmp_path / "out", weights=weights, preset="paper", paper=FEW_UNITS, device="cpu"
    )
    _, table = score_sorting(truth, found, ScoringSettings(), recording="r", sorter="s")
    assert table["well_detected"].item() == 3
    assert sorted(found.get_property("channel")) == [0, 1, 2]
    assert set(found.get_property("chunk")) == {0}
    split = run_sorter("simsort", here, folder=tmp_path / "split", weights=weights, preset="paper")
    assert len(split.unit_ids) > 3  # the tool's own quantile takes these units apart


def test_units_of_two_chunks_are_not_linked(weights: Path) -> None:
    recording, truth = synthetic_tetrode(20.0)
    chunked = sorted_by(recording, weights, chunk_samples=80_000)
    whole = sorted_by(recording, weights, chunk_samples=None)
    assert (np.diff(chunked.unit_chunks) >= 0).all() and np.bincount(chunked.unit_chunks).min() >= 2
    for unit, chunk in enumerate(chunked.unit_chunks):
        own = chunked.spike_samples[chunked.unit_index == unit]
        assert (own // 80_000 == chunk).all() and len(own)
    assert chunked.spike_samples.max() < 160_000 < whole.spike_samples.max()  # the remainder is dropped
    kept = sorted_by(recording, weights, chunk_samples=80_000, tail="pad")
    assert kept.spike_samples.max() > 160_000 and set(kept.unit_chunks) == {0, 1}
    assert counts(whole, truth)["well_detected"].item() == 3
    assert counts(chunked, truth)["well_detected"].item() == 0


@pytest.mark.parametrize(
    ("n_samples", "chunk", "tail", "expected"),
    [
        (10, None, "drop", [(0, 10)]),
        (10, 12, "drop", [(0, 10)]),
        (10, 4, "drop", [(0, 4), (4, 8)]),
        (10, 4, "pad", [(0, 4), (4, 10)]),
        (8, 4, "drop", [(0, 4), (4, 8)]),
    ],
)
def test_chunks(n_samples: int, chunk: int | None, tail: str, expected: list[tuple[int, int]]) -> None:
    assert chunk_bounds(n_samples, chunk, tail) == expected


def test_the_last_part_of_a_window_is_never_looked_at(weights: Path, quick_reduction: None) -> None:
    traces = synthetic_tetrode(9.9)[0].get_traces()[: 9 * 10_000 + 1_900]  # 45 windows of 2000 and 1900 samples
    dropped, padded = (sorted_by(recording_of(traces), weights, tail=tail) for tail in ("drop", "pad"))
    assert dropped.spike_samples.max() < 90_000 < padded.spike_samples.max()


def test_an_embedding_depends_on_its_batch_only_as_published(
    weights: Path, quick_reduction: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a fixed basis the half of a recording gives the embeddings that the whole gives there."""
    recording = synthetic_tetrode(16.0)[0]
    seen: list[float] = []
    whole = identifier.embed

    def first_alone(network: Any, snippets: Any, denoise: Any, **options: Any) -> Any:
        seen.append(
            (whole(network, snippets[:100], denoise) - whole(network, snippets, denoise)[:100]).abs().max().item()
        )
        return whole(network, snippets, denoise)

    monkeypatch.setattr(identifier, "embed", first_alone)
    for svd in ("batch", "fixed_basis", "off"):
        sorted_by(recording, weights, svd=svd)
    assert seen[0] > 1e-3 > 1e-5 > max(seen[1:])


def test_snippets_of_either_kind_with_and_without_the_low_pass(weights: Path) -> None:
    recording, truth = synthetic_tetrode(20.0)
    for settings in ({"snippets": "band_passed"}, {"low_pass": True}):
        found = sorted_by(recording, weights, **settings)
        assert counts(found, truth)["well_detected"].item() == 3


def test_a_recording_at_another_rate_is_resampled_if_told(weights: Path, quick_reduction: None) -> None:
    recording = synthetic_tetrode(20.0)[0]
    fast = recording_of(resample_poly(recording.get_traces(), 3, 1, axis=0).astype(np.float32), 3 * RATE_HZ)
    plain, resampled = sorted_by(fast, weights), sorted_by(fast, weights, resample_hz=RATE_HZ)
    expected = sorted_by(recording, weights)
    assert abs(len(resampled.spike_samples) - len(expected.spike_samples)) <= 4
    near = np.abs(resampled.spike_samples[:, None] / 3 - expected.spike_samples).min(axis=1)
    assert np.quantile(near, 0.95) <= 1
    assert len(plain.spike_samples) != len(resampled.spike_samples)


def test_threads_and_again_change_nothing(weights: Path, quick_reduction: None) -> None:
    recording = synthetic_tetrode(12.0)[0]
    one, other = (
        sort_as_published(recording, PaperSortingSettings(), weights=weights, device="cpu", threads=n, progress=n > 1)
        for n in (1, 2)
    )
    np.testing.assert_array_equal(one.spike_samples, other.spike_samples)
    np.testing.assert_array_equal(one.unit_index, other.unit_index)


def test_noise_has_no_units(weights: Path, tmp_path: Path) -> None:
    noise = recording_of(np.random.default_rng(0).normal(0, 8, (30_000, 4)).astype(np.float32))
    with pytest.warns(UserWarning, match="no unit"):
        found = run_sorter(
            "simsort", saved(noise, tmp_path / "noise"), folder=tmp_path / "out", weights=weights, preset="paper"
        )
    assert len(found.unit_ids) == 0


def test_other_numbers_of_channels_are_refused(weights: Path, tmp_path: Path) -> None:
    pair = recording_of(synthetic_tetrode(3.0)[0].get_traces()[:, :2], probe=False)
    with pytest.raises(DataError, match=r"2 channels with preset: paper[\s\S]*tetrodes only"):
        run_sorter("simsort", saved(pair, tmp_path / "pair"), folder=tmp_path / "out", weights=weights, preset="paper")


def test_in_a_workflow_and_by_hand(weights: Path, tmp_path: Path) -> None:
    recording = synthetic_tetrode(8.0)[0]
    parameters = {"preset": "paper", "paper": {**FEW_UNITS, "chunk_samples": 40_000}, "weights": str(weights)}
    found = sort_recording(recording, SorterSettings(sorter="simsort", parameters=parameters))
    assert len(found.unit_ids) >= 4 and found.get_annotation("note") == ""
    saved(recording, tmp_path / "recording")
    given = "{preset: paper, paper: {bandwidth_quantile: 0.3, chunk_samples: 40000}}"
    arguments = ["sort", tmp_path / "recording", tmp_path / "out", "--parameters", given, "--weights", weights]
    done = CliRunner().invoke(command_line, [*map(str, arguments), "--no-progress"])
    assert done.exit_code == 0, done.output
    assert len(read_sorting(tmp_path / "out/sorting.h5").unit_ids) >= 4
    without = CliRunner().invoke(command_line, [*map(str, arguments[:3]), "--parameters", "{preset: paper}"])
    assert without.exit_code == 2 and "simsort_paper_weights" in without.stderr


def test_weights_of_the_default_are_refused_before_anything_is_read(tmp_path: Path) -> None:
    here = saved(synthetic_tetrode(3.0)[0], tmp_path / "recording")
    default = write_handmade_networks(tmp_path / "default")
    with pytest.raises(FormatError, match=r"weights of preset default[\s\S]*spikeline train"):
        run_sorter("simsort", here, folder=tmp_path / "out", weights=default, preset="paper")


def test_weights_without_a_basis_are_refused(weights: Path, tmp_path: Path) -> None:
    for network in ("detector", "identifier"):
        arrays, card = read_weights(weights / f"{network}.safetensors")
        card.pop("weights_sha256")
        if network == "identifier":
            arrays["basis"] = np.zeros((240, 8), np.float32)
        write_weights(tmp_path / f"{network}.safetensors", arrays, card)
    with pytest.raises(FormatError, match="no basis"):
        load_paper_networks(tmp_path, "cpu")


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"preset": "papper"}, r"preset = 'papper'[\s\S]*default or paper"),
        ({"preset": "paper"}, r"preset: paper without weights[\s\S]*simsort_paper_weights"),
        ({"paper": {"tail": "pad"}}, "without preset: paper"),
        ({"preset": "paper", "weights": "w", "fewest_spikes": 30}, "fewest_spikes with preset: paper"),
        ({"preset": "paper", "weights": "w", "paper": {"treshold": 0.9}}, "treshold"),
        ({"preset": "paper", "weights": "w", "paper": {"threshold": 97}}, "threshold = 97"),
        ({"preset": "paper", "weights": "w", "paper": {"svd": "of"}}, "svd"),
    ],
)
def test_parameters_that_do_not_go_together_are_refused_when_a_run_is_planned(
    parameters: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        check_sorters({"mine": SorterSettings(sorter="simsort", parameters=parameters)})


def test_the_weights_of_a_run_are_planned() -> None:
    check_sorters({"mine": SorterSettings(sorter="simsort", parameters={"preset": "paper", "weights": "trained"})})
