"""Neuropixels folders: what SpikeGLX writes, and what the International Brain Laboratory compresses."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import numpy as np
import pytest

from spikeline.data.datasets import has_ground_truth
from spikeline.data.readers import ibl, read_comparison_sorting, read_dataset_recording, read_ground_truth
from spikeline.errors import ConfigError, FormatError
from tests.data.entries import entry_of

RATE_HZ, CHANNELS = 30_000.0, 6
NAME = "_spikeglx_ephysData_g0_t0.imec0.ap"


def _traces() -> np.ndarray:
    """Traces of a few channels, and the synchronisation channel last."""
    return np.random.default_rng(0).integers(-100, 100, (3000, CHANNELS + 1)).astype(np.int16)


def _meta() -> str:
    """What SpikeGLX says of a Neuropixels 1.0 probe of which the first few channels were saved, gain 500."""
    saved = "".join(f"(AP{i};{i}:{i})" for i in range(CHANNELS)) + f"(SY0;768:{CHANNELS})"
    table = "".join(f"({i} 0 0 500 250 1)" for i in range(384))
    lines = {
        "typeThis": "imec", "imSampRate": RATE_HZ, "firstSample": 0, "imAiRangeMax": 0.6, "imAiRangeMin": -0.6,
        "imMaxInt": 512, "imDatPrb_type": 0, "imDatPrb_pn": "PRB_1_4_0480_1", "imDatPrb_sn": 1, "imDatPrb_port": 1,
        "imDatPrb_slot": 2, "nSavedChans": CHANNELS + 1, "snsApLfSy": f"{CHANNELS},0,1",
        "snsSaveChanSubset": f"0:{CHANNELS - 1},768", "fileSizeBytes": _traces().nbytes,
        "fileName": f"D:/data/{NAME}.bin", "~imroTbl": f"(0,384){table}", "~snsChanMap": f"(384,384,1){saved}",
    }  # fmt: skip
    return "".join(f"{key}={value}\n" for key, value in lines.items())


def _write(session: Path) -> Path:
    """A session's folder with one uncompressed probe, as the laboratory lays it out."""
    probe = session / "raw_ephys_data" / "probe00"
    probe.mkdir(parents=True)
    _traces().tofile(probe / f"{NAME}.bin")
    (probe / f"{NAME}.meta").write_text(_meta())
    return probe


def _write_sorting(session: Path, **changes: np.ndarray | None) -> Path:
    folder = session / "alf" / "probe00" / "pykilosort"
    folder.mkdir(parents=True)
    arrays = {
        "samples": np.array([5, 90, 90, 2500], np.int64), "clusters": np.array([3, 0, 3, 0], np.uint32),
        "times": np.array([0.1, 0.2, 0.2, 0.3]),
    }  # fmt: skip
    for name, array in (arrays | changes).items():
        if array is not None:
            np.save(folder / f"spikes.{name}.npy", array)
    return folder


def test_spikeglx(tmp_path: Path) -> None:
    _write(tmp_path / "session")
    table = {"i": entry_of(tmp_path / "session", "ibl", sampling_rate_hz=RATE_HZ, channels=CHANNELS)}
    recording = read_dataset_recording("i", tmp_path, table)
    np.testing.assert_array_equal(recording.get_traces(), _traces()[:, :CHANNELS])
    microvolts = _traces()[:, :CHANNELS] * (0.6e6 / 512 / 500)
    np.testing.assert_allclose(recording.get_traces(return_in_uV=True), microvolts, rtol=1e-5)
    assert recording.has_probe() and recording.check_serializability("json")
    assert read_ground_truth("i", tmp_path, table) is None
    assert not has_ground_truth("i", tmp_path, table)
    assert read_comparison_sorting("i", tmp_path, table) is None


def test_a_sorting_to_compare_with(tmp_path: Path) -> None:
    session = tmp_path / "session"
    _write(session)
    _write_sorting(session)
    table = {"i": entry_of(session, "ibl")}
    sorting = read_comparison_sorting("i", tmp_path, table)
    assert {unit: list(sorting.get_unit_spike_train(unit)) for unit in sorting.unit_ids} == {
        "0": [90, 2500], "3": [5, 90],
    }  # fmt: skip
    assert sorting.get_sampling_frequency() == RATE_HZ
    assert read_ground_truth("i", tmp_path, table) is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"samples": None}, r"without spikes\.samples\.npy"),
        ({"clusters": None}, r"spikes\.clusters\.npy does not exist"),
        ({"clusters": np.array([1, 2])}, "4 spike times and 2 labels"),
        ({"samples": np.array([5, 90, 80, 2500])}, "out of order"),
        ({"samples": np.array([5, 90, 90, 3000])}, "sample 3000 of a recording of 3000"),
        ({"clusters": np.array([{}] * 4, dtype=object)}, "cannot be read as a plain array"),
    ],
)
def test_wrong_sortings(tmp_path: Path, changes: dict[str, np.ndarray | None], message: str) -> None:
    session = tmp_path / "session"
    _write(session)
    _write_sorting(session, **changes)
    with pytest.raises(FormatError, match=message):
        read_comparison_sorting("i", tmp_path, {"i": entry_of(session, "ibl")})


def test_two_sortings(tmp_path: Path) -> None:
    session = tmp_path / "session"
    _write(session)
    shutil.copytree(_write_sorting(session), session / "alf" / "probe00" / "kilosort")
    with pytest.raises(FormatError, match="2 spike sortings"):
        read_comparison_sorting("i", tmp_path, {"i": entry_of(session, "ibl")})


def test_parts_that_are_missing(tmp_path: Path) -> None:
    session = tmp_path / "session"
    probe = _write(session)

    def refused(message: str) -> None:
        with pytest.raises(FormatError, match=message):
            read_dataset_recording("i", tmp_path, {"i": entry_of(session, "ibl")})

    shutil.copy(probe / f"{NAME}.bin", session / "other.imec1.ap.bin")
    refused("holds 2 files of traces")
    (session / "other.imec1.ap.bin").unlink()
    (probe / f"{NAME}.meta").rename(probe / "away.meta")
    refused(r"\.meta does not exist")
    (probe / f"{NAME}.meta").write_text("nothing=here\n")
    refused("cannot be read")
    (probe / f"{NAME}.bin").rename(probe / f"{NAME}.cbin")
    refused(r"\.ch does not exist")
    (probe / f"{NAME}.cbin").unlink()
    refused("holds 0 files of traces")


def test_compressed_without_mtscomp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    probe = _write(tmp_path / "session")
    (probe / f"{NAME}.bin").rename(probe / f"{NAME}.cbin")
    (probe / f"{NAME}.ch").write_text("{}")
    monkeypatch.setattr(ibl.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install 'spikeline\[ibl\]'"):
        read_dataset_recording("i", tmp_path, {"i": entry_of(tmp_path / "session", "ibl")})


@pytest.mark.skipif(importlib.util.find_spec("mtscomp") is None, reason="pip install mtscomp reads compressed files")
def test_compressed(tmp_path: Path) -> None:
    import mtscomp

    probe = _write(tmp_path / "session")
    files = [probe / f"{NAME}.{suffix}" for suffix in ("bin", "cbin", "ch")]
    mtscomp.compress(*files, sample_rate=RATE_HZ, n_channels=CHANNELS + 1, dtype=np.int16, check_after_compress=False)
    files[0].unlink()
    table = {"i": entry_of(tmp_path / "session", "ibl", sampling_rate_hz=RATE_HZ, channels=CHANNELS)}
    recording = read_dataset_recording("i", tmp_path, table)
    np.testing.assert_array_equal(recording.get_traces(), _traces()[:, :CHANNELS])
    np.testing.assert_allclose(recording.get_channel_gains(), 0.6e6 / 512 / 500)
    assert recording.has_probe()
    files[2].write_text("{}")
    with pytest.raises(FormatError, match="cannot be read"):
        read_dataset_recording("i", tmp_path, {"i": entry_of(tmp_path / "session", "ibl")})
