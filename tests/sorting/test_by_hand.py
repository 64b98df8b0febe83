"""``spikeline sort`` beside what an earlier sorting left, and with recordings that spikeline made."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest
import spikeinterface as si

from spikeline.config.recordings import RecordingSettings
from spikeline.config.sorting import SorterSettings
from spikeline.errors import ConfigError, DataError
from spikeline.sorting import run, sorting_file
from spikeline.sorting.by_hand import open_any_recording, sort_to_folder
from tests.saved_recordings import closed_files, saved
from tests.sorting.simsort.simsort_fakes import FakePipeline, fake_pipeline
from tests.sorting.trains import synthetic_tetrode

__all__ = ["closed_files", "fake_pipeline"]
pytestmark = pytest.mark.usefixtures("closed_files")
SIMSORT = SorterSettings(sorter="simsort")
EXPORTS = {"phy", "sorting.nwb"}


class Killed(BaseException):
    """Nothing but the disk outlives it."""


@pytest.fixture
def recording(tmp_path: Path) -> si.BaseRecording:
    return saved(synthetic_tetrode(2.0)[0], tmp_path / "recording")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """With a sorting and its exports of an earlier call."""
    (tmp_path / "out" / "phy").mkdir(parents=True)
    for name in ("sorting.h5", "sorting.nwb", "phy/params.py", "phy/recording.dat"):
        (tmp_path / "out" / name).write_text("old")
    return tmp_path / "out"


def there(out: Path) -> set[str]:
    return {path.name for path in out.iterdir()}


def test_earlier_exports_go_with_their_sorting(
    recording: si.BaseRecording, fake_pipeline: FakePipeline, out: Path
) -> None:
    sort_to_folder(recording, "r", out, SIMSORT, seed=1)
    assert there(out) == {"sorting.h5", "sorting.h5.manifest.json"}


def test_one_that_is_asked_for_again_is_replaced(
    recording: si.BaseRecording, fake_pipeline: FakePipeline, out: Path
) -> None:
    sort_to_folder(recording, "r", out, SIMSORT, seed=1, exports=["phy"])
    assert there(out) == {"sorting.h5", "sorting.h5.manifest.json", "phy"}
    assert (out / "phy" / "params.py").read_text() != "old"


def test_killed_before_the_sorting_is_replaced(
    recording: si.BaseRecording, fake_pipeline: FakePipeline, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*arguments: object) -> None:
        raise Killed

    monkeypatch.setattr(sorting_file, "write_sorting", killed)
    with pytest.raises(Killed):
        sort_to_folder(recording, "r", out, SIMSORT, seed=1, exports=["phy"])
    assert there(out) == {"sorting.h5"}


def test_killed_while_an_export_is_deleted(
    recording: si.BaseRecording, fake_pipeline: FakePipeline, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = shutil.rmtree

    def killed(path: Path, *arguments: object, **options: object) -> None:
        if (Path(path) / "recording.dat").exists():
            (Path(path) / "recording.dat").unlink()
            raise Killed
        whole(path, *arguments, **options)

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(shutil, "rmtree", killed)
        sort_to_folder(recording, "r", out, SIMSORT, seed=1)
    assert "phy" not in there(out)  # half of it has another name, and is known as a leftover by it
    sort_to_folder(recording, "r", out, SIMSORT, seed=1)
    assert there(out) == {"sorting.h5", "sorting.h5.manifest.json"}


def test_a_sorting_that_fails_leaves_everything(
    recording: si.BaseRecording, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*arguments: object) -> None:
        raise DataError("seen", "expected", "remedy")

    monkeypatch.setattr(run, "_run", fails)
    before = there(out)
    with pytest.raises(DataError):
        sort_to_folder(recording, "r", out, SIMSORT, seed=1)
    assert there(out) == before >= EXPORTS


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A recording made by spikeline."""
    from spikeline.simulation.recordings.probes import make_probe
    from spikeline.simulation.recordings.recording import LabelledRecording, contact_positions, write_recording

    traces, truth = synthetic_tetrode(2.0)
    probe = make_probe(RecordingSettings().probe)
    counts = list(truth.count_num_spikes_per_unit().values())
    units = pd.DataFrame({"unit_id": range(3), "cell": ["A", "B", "C"], "n_spikes": counts})
    write_recording(tmp_path / "made", LabelledRecording(traces, truth, probe, units, contact_positions(probe)))
    return tmp_path / "made"


def test_a_recording_of_ours_has_its_own_probe_and_one_stream(made: Path) -> None:
    assert open_any_recording(made).has_probe()
    with pytest.raises(ConfigError, match=r"--probe other\.json for .*made, a recording made by spikeline") as caught:
        open_any_recording(made, probe="other.json")
    assert caught.value.remedy == "leave --probe out"
    with pytest.raises(ConfigError, match=r"leave --stream out"):
        open_any_recording(made, stream="AP")
