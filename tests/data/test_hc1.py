"""CRCNS hc-1: extracellular and intracellular channels in NeuroScope's format."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from spikeline.data.readers import read_dataset_recording, read_ground_truth
from spikeline.data.readers.hc1 import intracellular_spikes
from spikeline.errors import DataError, FormatError
from tests.data.entries import entry_of

RATE_HZ, CHANNELS, INSIDE = 20_000.0, 6, 5
SPIKES = np.array([2000, 2100, 9000, 15_000])
KEYS = {"contact_distance_um": 25.0, "extracellular_channels": [1, 2, 3, 4], "intracellular_channel": INSIDE}


def _intracellular(stream: np.random.Generator) -> np.ndarray:
    """Noise, a slow depolarisation, and spikes that rise within a few samples and fall within a millisecond."""
    trace = stream.normal(0, 5, 20_000) + 300 * np.sin(np.arange(20_000) / 3000)
    shape = 4000 * np.exp(-0.5 * (np.arange(-10, 30) / np.where(np.arange(-10, 30) < 0, 3.0, 8.0)) ** 2)
    for spike in SPIKES:
        trace[spike - 10 : spike + 30] += shape
    return trace


def _write(folder: Path) -> np.ndarray:
    folder.mkdir()
    stream = np.random.default_rng(0)
    traces = stream.normal(0, 50, (20_000, CHANNELS))
    traces[:, INSIDE] = _intracellular(stream)
    traces = traces.astype(np.int16)
    traces.tofile(folder / "d1122101.dat")
    group = "".join(f'<channel skip="0">{i}</channel>' for i in range(CHANNELS))
    (folder / "d1122101.xml").write_text(
        f"""<?xml version="1.0"?>
<parameters>
  <acquisitionSystem>
    <nBits>16</nBits><nChannels>{CHANNELS}</nChannels><samplingRate>{RATE_HZ:.0f}</samplingRate>
    <voltageRange>20</voltageRange><amplification>1000</amplification><offset>0</offset>
  </acquisitionSystem>
  <anatomicalDescription><channelGroups><group>{group}</group></channelGroups></anatomicalDescription>
</parameters>
"""
    )
    return traces


def test_recording_and_truth(tmp_path: Path) -> None:
    traces = _write(tmp_path / "session")
    table = {"h": entry_of(tmp_path / "session", "hc1", **KEYS, sampling_rate_hz=RATE_HZ, channels=4)}
    recording = read_dataset_recording("h", tmp_path, table)
    np.testing.assert_array_equal(recording.get_traces(), traces[:, 1:5])
    # 20 V over 2^16 steps, amplified 1000 times
    np.testing.assert_allclose(
        recording.get_traces(return_in_uV=True), traces[:, 1:5] * (20e6 / 2**16 / 1000), rtol=1e-5
    )
    assert recording.has_probe() and recording.check_serializability("json")
    truth = read_ground_truth("h", tmp_path, table)
    assert list(truth.unit_ids) == ["1"]
    # the steepest rise lies one standard deviation (3 samples) of the rising flank before the peak
    np.testing.assert_allclose(truth.get_unit_spike_train("1"), SPIKES - 3, atol=1)


def test_a_probe_of_six_sites_is_a_column(tmp_path: Path) -> None:
    _write(tmp_path / "session")
    keys = KEYS | {"extracellular_channels": [0, 1, 2]}
    recording = read_dataset_recording("h", tmp_path, {"h": entry_of(tmp_path / "session", "hc1", **keys)})
    np.testing.assert_array_equal(recording.get_channel_locations(), [[0, 0], [0, 25], [0, 50]])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"extracellular_channels": [1, 2, 3, 6]}, "channel 6"),
        ({"extracellular_channels": [1, -1]}, "channel -1"),
        ({"extracellular_channels": [1, 2, 2]}, "a channel twice"),
        ({"extracellular_channels": [1, 2, 5]}, "a channel twice"),
        ({"intracellular_channel": None}, "lacks intracellular_channel"),
    ],
)
def test_wrong_channels(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    _write(tmp_path / "session")
    table = {"h": entry_of(tmp_path / "session", "hc1", **(KEYS | changes))}
    with pytest.raises(DataError, match=message):
        read_dataset_recording("h", tmp_path, table)


def test_missing_and_damaged_files(tmp_path: Path) -> None:
    folder = tmp_path / "session"
    _write(folder)

    def refused(message: str) -> None:
        with pytest.raises(FormatError, match=message):
            read_ground_truth("h", tmp_path, {"h": entry_of(folder, "hc1", **KEYS)})

    (folder / "second.dat").write_bytes(b"")
    refused(r"d1122101\.dat, second\.dat")
    (folder / "second.dat").unlink()
    (folder / "d1122101.xml").write_text("<parameters/>")
    refused("cannot be read")
    (folder / "d1122101.xml").unlink()
    refused(r"without its \.xml")
    (folder / "d1122101.dat").unlink()
    refused(r"no \.dat file")


def test_no_spikes_in_noise_and_no_threshold_without_it() -> None:
    assert len(intracellular_spikes(np.random.default_rng(1).normal(size=20_000), RATE_HZ)) == 0
    for trace in (np.zeros(100), np.zeros(0)):
        with pytest.raises(DataError, match="steps of the intracellular trace are equal"):
            intracellular_spikes(trace, RATE_HZ)
