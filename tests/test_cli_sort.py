"""``spikeline sort``: what it opens, what it writes, what it refuses. The pipeline of simsort is a fake here."""

from __future__ import annotations

import importlib.util
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import probeinterface
import pytest
import spikeinterface as si
from click.testing import CliRunner, Result

from spikeline.artifacts import manifest_path
from spikeline.artifacts.pickles import pickle_inside
from spikeline.cli import command_line
from spikeline.sorting.sorting_file import read_sorting
from tests.data.test_recording_files import write_open_ephys
from tests.saved_recordings import closed_files, saved
from tests.sorting.simsort.simsort_fakes import FakePipeline, fake_pipeline
from tests.sorting.trains import recording_of, synthetic_tetrode, tetrode

__all__ = ["closed_files", "fake_pipeline"]
pytestmark = pytest.mark.usefixtures("closed_files")


def _sort(*arguments: object) -> Result:
    return CliRunner().invoke(command_line, ["sort", *map(str, arguments)])


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    saved(synthetic_tetrode(4.0)[0], tmp_path / "recording")
    return tmp_path / "recording"


def test_simsort_is_the_default(recording: Path, fake_pipeline: FakePipeline, tmp_path: Path) -> None:
    done = _sort(recording, tmp_path / "out", "--threads", 2, "--device", "cpu", "--progress")
    assert done.exit_code == 0, done.output
    assert "sorting.h5: 3 units, " in done.stdout
    assert list(read_sorting(tmp_path / "out" / "sorting.h5").unit_ids) == ["0", "1", "2"]
    assert manifest_path(tmp_path / "out" / "sorting.h5").is_file()
    [call] = fake_pipeline.calls
    assert (call["threads"], call["device"], call["progress"], call["weights"]) == (2, "cpu", True, None)
    again = _sort(recording, tmp_path / "out", "--no-progress", "--parameters", "{fewest_spikes: 20}")
    assert again.exit_code == 0
    assert fake_pipeline.calls[1]["settings"].fewest_spikes == 20
    assert fake_pipeline.calls[1]["progress"] is False


def test_phy(recording: Path, fake_pipeline: FakePipeline, tmp_path: Path) -> None:
    done = _sort(recording, tmp_path / "out", "--export", "phy")
    assert done.exit_code == 0, done.output
    assert done.stdout.count("\n") == 1
    phy = tmp_path / "out" / "phy"
    assert "dat_path = r'recording.dat'" in (phy / "params.py").read_text()
    spikes = read_sorting(tmp_path / "out" / "sorting.h5").to_spike_vector()
    assert np.array_equal(np.load(phy / "spike_times.npy")[:, 0], spikes["sample_index"])
    assert (phy / "recording.dat").stat().st_size == 4 * 40_000 * 4
    assert not any(pickle_inside(path) for path in phy.iterdir())


def test_nwb(recording: Path, fake_pipeline: FakePipeline, tmp_path: Path) -> None:
    pynwb = pytest.importorskip("pynwb")
    pytest.importorskip("neuroconv")
    start = "2026-01-02T03:04:05"
    done = _sort(recording, tmp_path / "out", "--export", "nwb", "--session-start", start)
    assert done.exit_code == 0, done.output
    found = read_sorting(tmp_path / "out" / "sorting.h5")
    with pynwb.NWBHDF5IO(tmp_path / "out" / "sorting.nwb", "r") as file:
        session = file.read()
        assert session.session_start_time == datetime.fromisoformat(start).astimezone()
        units = session.units.to_dataframe()
        assert list(units["unit_name"]) == list(found.unit_ids)
        for unit, times in zip(found.unit_ids, units["spike_times"], strict=True):
            assert np.allclose(times, found.get_unit_spike_train(unit) / found.sampling_frequency)
        assert len(session.electrodes) == 4
    assert _sort(recording, tmp_path / "out", "--export", "nwb").exit_code == 0  # replaced
    with pynwb.NWBHDF5IO(tmp_path / "out" / "sorting.nwb", "r") as file:
        session = file.read()
        assert session.session_start_time == datetime(1970, 1, 1, tzinfo=UTC)
        assert "unknown" in session.session_description


def test_without_neuroconv_nothing_is_sorted_in_vain(
    recording: Path, fake_pipeline: FakePipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "neuroconv" else find(name))
    done = _sort(recording, tmp_path / "out", "--export", "phy", "--export", "nwb")
    assert done.exit_code == 2
    assert "pip install 'spikeline[export]'" in done.stderr
    assert not fake_pipeline.calls


def test_nothing_found_is_said_and_not_exported(fake_pipeline: FakePipeline, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(0, 8, (20_000, 1)).astype(np.float32)
    saved(recording_of(noise, probe=False), tmp_path / "recording")
    with pytest.warns(UserWarning, match="no unit"):
        done = _sort(tmp_path / "recording", tmp_path / "out", "--export", "phy")
    assert done.exit_code == 0, done.output
    assert "0 units, 0 spikes (" in done.stdout
    assert "not exported to phy" in done.stdout
    assert not (tmp_path / "out" / "phy").exists()


def test_another_sorter_and_a_wired_probe(tmp_path: Path) -> None:
    traces = synthetic_tetrode(6.0)[0].get_traces()
    write_open_ephys(tmp_path / "ephys", {"AP": np.round(traces / 0.195).astype(np.int16), "LFP": traces[:, :2]})
    probeinterface.write_probeinterface(tmp_path / "probe.json", tetrode())
    source = [tmp_path / "ephys", tmp_path / "out", "--sorter", "simple", "--stream", "0"]
    done = _sort(*source)
    assert done.exit_code == 2
    assert "--probe" in done.stderr
    done = _sort(*source, "--probe", tmp_path / "probe.json")
    assert done.exit_code == 0, done.output
    assert "sorting.h5: 3 units" in done.stdout
    done = _sort(*source[:-1], "1", "--probe", tmp_path / "probe.json")
    assert done.exit_code == 2
    assert "does not fit the recording" in done.stderr
    (tmp_path / "probe.json").write_text("{}")
    done = _sort(*source, "--probe", tmp_path / "probe.json")
    assert done.exit_code == 2
    assert "probe.json cannot be read" in done.stderr


def test_three_channels_without_a_probe(fake_pipeline: FakePipeline, tmp_path: Path) -> None:
    saved(recording_of(synthetic_tetrode(3.0)[0].get_traces()[:, :3], probe=False), tmp_path / "recording")
    done = _sort(tmp_path / "recording", tmp_path / "out", "--export", "phy")
    assert done.exit_code == 0, done.output
    assert np.load(tmp_path / "out" / "phy" / "channel_positions.npy").shape == (3, 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["out", "--sorter", "simple", "--weights", "w"], "--weights with the sorter 'simple'"),
        (["out", "--sorter", "simple", "--no-progress"], "--progress with the sorter 'simple'"),
        (["out", "--weights", "nowhere"], "lacks detector.safetensors"),
        (["out", "--sorter", "simpel"], "did you mean simple"),
        (["out", "--parameters", "{fewest_spike: 3}"], "did you mean 'fewest_spikes'"),
        (["out", "--parameters", "{fewest_spikes: 0}"], "fewest_spikes = 0"),
        (["out", "--stream", "AP"], "has no stream 'AP'"),
        (["out.h5"], "name a folder"),
        (["out", "--reader", "intann"], "did you mean intan"),
    ],
)
def test_what_is_refused(arguments: list[str], message: str, recording: Path, tmp_path: Path) -> None:
    done = _sort(recording, tmp_path / arguments[0], *arguments[1:])
    assert done.exit_code == 2
    assert message in done.stderr
    assert not (tmp_path / arguments[0] / "sorting.h5").exists()


def test_several_segments(tmp_path: Path) -> None:
    once = synthetic_tetrode(3.0)[0]
    saved(si.append_recordings([once, once]), tmp_path / "recording")
    done = _sort(tmp_path / "recording", tmp_path / "out")
    assert done.exit_code == 2
    assert "2 segments" in done.stderr
