"""Formats of the field, opened by SpikeInterface's readers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from spikeinterface.extractors.mdaextractors import MdaRecordingExtractor

from spikeline.data.recording_files import open_recording, readers_for
from spikeline.errors import ConfigError, FormatError
from tests.saved_recordings import closed_files
from tests.sorting.trains import RATE_HZ, recording_of

__all__ = ["closed_files"]
pytestmark = pytest.mark.usefixtures("closed_files")

TRACES = np.random.default_rng(0).normal(0, 100, (20_000, 4)).astype(np.int16)


def _touched(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def write_open_ephys(folder: Path, streams: dict[str, np.ndarray]) -> Path:
    """The smallest folder in Open Ephys' binary format that Neo reads."""
    recording = folder / "Record Node 101" / "experiment1" / "recording1"
    described = []
    for name, traces in streams.items():
        place = recording / "continuous" / f"Acquisition_Board-100.{name}"
        place.mkdir(parents=True)
        traces.tofile(place / "continuous.dat")
        np.save(place / "sample_numbers.npy", np.arange(len(traces)))
        np.save(place / "timestamps.npy", np.arange(len(traces)) / RATE_HZ)
        channels = [{"channel_name": f"CH{i + 1}", "bit_volts": 0.195, "units": "uV"} for i in range(traces.shape[1])]
        described.append(
            {
                "folder_name": f"{place.name}/", "sample_rate": RATE_HZ, "source_processor_name": "Acquisition Board",
                "source_processor_id": 100, "stream_name": name, "num_channels": traces.shape[1], "channels": channels,
            }
        )  # fmt: skip
    document = {"GUI version": "0.6.7", "continuous": described, "events": [], "spikes": []}
    (recording / "structure.oebin").write_text(json.dumps(document))
    return folder


@pytest.mark.parametrize(
    ("name", "readers"),
    [
        ("a.rhd", ["intan"]),
        ("a.RHS", ["intan"]),
        ("run_g0_t0.imec0.ap.meta", ["spikeglx"]),
        ("a.nwb", ["nwb"]),
        ("raw.mda", ["mda"]),
        ("a.ns5", ["blackrock"]),
        ("a.pl2", ["plexon2"]),
        ("a.bin", ["axona", "spikeglx"]),
        ("a.txt.gz", []),
    ],
)
def test_readers_of_a_file(name: str, readers: list[str], tmp_path: Path) -> None:
    assert readers_for(tmp_path / name) == readers


def test_readers_of_a_folder(tmp_path: Path) -> None:
    _touched(*(tmp_path / "glx" / "run_g0_imec0" / f"run_g0_t0.imec0.ap.{end}" for end in ("meta", "bin")))
    _touched(tmp_path / "legacy" / "100_CH1.continuous", tmp_path / "legacy" / "settings.xml")
    _touched(tmp_path / "lynx" / "CSC1.ncs", tmp_path / "lynx" / "Events.nev")
    _touched(tmp_path / "other" / "notes.xml")
    write_open_ephys(tmp_path / "binary", {"AP": TRACES})
    found = {folder.name: readers_for(folder) for folder in sorted(tmp_path.iterdir())}
    assert found == {
        "glx": ["spikeglx"], "legacy": ["openephyslegacy"], "lynx": ["neuralynx"], "other": [],
        "binary": ["openephysbinary"],
    }  # fmt: skip


def test_a_folder_of_open_ephys(tmp_path: Path) -> None:
    folder = write_open_ephys(tmp_path / "one", {"AP": TRACES})
    recording = open_recording(folder)
    assert np.array_equal(recording.get_traces(), TRACES)
    assert recording.sampling_frequency == RATE_HZ
    assert recording.get_channel_gains()[0] == 0.195


def test_the_stream_is_asked_for_and_chosen(tmp_path: Path) -> None:
    folder = write_open_ephys(tmp_path / "two", {"AP": TRACES, "LFP": TRACES[:, :2]})
    with pytest.raises(ConfigError, match=r"several streams: .*AP, .*LFP[\s\S]*--stream '"):
        open_recording(folder)
    names = ["Record Node 101#Acquisition_Board-100.AP", "Record Node 101#Acquisition_Board-100.LFP"]
    assert [open_recording(folder, stream=name).get_num_channels() for name in names] == [4, 2]
    assert open_recording(folder, stream="1").get_num_channels() == 2
    with pytest.raises(ConfigError, match=r"no stream 'EEG'[\s\S]*#Acquisition_Board-100\.AP"):
        open_recording(folder, stream="EEG")


@pytest.mark.parametrize("name", ["", "raw.mda", "other.mda"])
def test_mda(name: str, tmp_path: Path) -> None:
    recording = recording_of(TRACES)
    MdaRecordingExtractor.write_recording(
        recording, tmp_path / "mda", raw_fname=name or "raw.mda", n_jobs=1, progress_bar=False
    )
    opened = open_recording(tmp_path / "mda" / name)
    assert np.array_equal(opened.get_traces(), TRACES)
    assert opened.has_probe()
    with pytest.raises(ConfigError, match="no stream"):
        open_recording(tmp_path / "mda" / name, stream="AP")


@pytest.mark.parametrize(
    ("name", "reader", "error", "message"),
    [
        ("nothing.rhd", None, FormatError, "does not exist"),
        ("broken.rhd", None, FormatError, "cannot be read by the reader intan"),
        ("a.bin", None, ConfigError, r"axona, spikeglx[\s\S]*--reader axona"),
        ("a.xyz", None, ConfigError, r"no reader takes a\.xyz[\s\S]*recording\.save"),
        ("a.xyz", "spikeglix", ConfigError, "did you mean spikeglx"),
        (".", None, FormatError, "neither binary.json nor zarr"),
    ],
)
def test_what_cannot_be_opened(
    name: str, reader: str | None, error: type[Exception], message: str, tmp_path: Path
) -> None:
    for file in ("broken.rhd", "a.bin", "a.xyz"):
        (tmp_path / "x" / file).parent.mkdir(exist_ok=True)
        (tmp_path / "x" / file).write_bytes(b"0123456789abcdef")
    (tmp_path / "x" / "a.bin").rename(tmp_path / "a.bin") if name == "." else None
    with pytest.raises(error, match=message):
        open_recording(tmp_path / "x" / name, reader)


def test_a_reader_whose_package_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import spikeinterface.extractors as extractors

    def missing(path: Path) -> None:
        raise ImportError("No module named 'mtscomp'")

    monkeypatch.setitem(extractors.recording_extractor_full_dict, "intan", missing)
    (tmp_path / "a.rhd").touch()
    with pytest.raises(ConfigError, match=r"reader intan needs a package[\s\S]*mtscomp"):
        open_recording(tmp_path / "a.rhd")


def test_nwb(tmp_path: Path) -> None:
    tools = pytest.importorskip("neuroconv.tools.spikeinterface")
    facts = {"session_description": "x", "identifier": "y", "session_start_time": "2026-01-02T03:04:05+00:00"}
    tools.write_recording_to_nwbfile(recording_of(TRACES), tmp_path / "a.nwb", metadata={"NWBFile": facts})
    assert np.array_equal(open_recording(tmp_path / "a.nwb").get_traces(), TRACES)
