"""Exports of recordings with unsigned samples: whatever their offset, they are those of the signed recording."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import spikeinterface as si

from spikeline.sorting.export import analyse, export_phy
from spikeline.sorting.snr import signal_to_noise
from tests.sorting.trains import recording_of, synthetic_tetrode

STEP_UV = 0.195
RECORDING, TRUTH = synthetic_tetrode(3.0)
STEPS = np.round(RECORDING.get_traces() / STEP_UV)


def of_type(kind: str, offset: int, scaled: bool) -> si.BaseRecording:
    """The recording in steps of a converter; ``scaled`` says whether it knows what they are in uV."""
    recording = recording_of((STEPS + offset).astype(kind))
    if scaled:
        recording.set_channel_gains(STEP_UV)
        recording.set_channel_offsets(-STEP_UV * offset)
    else:
        recording.delete_property("gain_to_uV")
        recording.delete_property("offset_to_uV")
    return recording


@pytest.mark.parametrize(
    ("offset", "scaled", "filtered"), [(32_768, True, False), (1_200, False, False), (1_200, True, True)]
)
def test_phy(offset: int, scaled: bool, filtered: bool, tmp_path: Path) -> None:
    signed, unsigned = of_type("int16", 0, scaled), of_type("uint16", offset, scaled)
    unsigned.annotate(is_filtered=filtered)
    one, other = tmp_path / "signed", tmp_path / "unsigned"
    for folder, recording in ((one, signed), (other, unsigned)):
        export_phy(folder, analyse(recording, TRUTH))
        assert "dtype = 'int16'" in (folder / "params.py").read_text()
    for table in ("spike_times.npy", "templates.npy", "amplitudes.npy"):
        np.testing.assert_allclose(np.load(one / table), np.load(other / table), atol=0.1 * STEP_UV)
    # the filter's last bits differ, so a step may be rounded to its neighbour
    traces = [np.fromfile(folder / "recording.dat", "int16").astype(float) for folder in (one, other)]
    assert np.abs(traces[0] - traces[1]).max() <= 1 and np.abs(traces[1]).max() > 100 / STEP_UV


@pytest.mark.parametrize(("kind", "offset", "scaled"), [("uint16", 32_768, True), ("uint32", 1_200, False)])
def test_signal_to_noise(kind: str, offset: int, scaled: bool) -> None:
    band = (300.0, 3000.0)
    signed, unsigned = (
        signal_to_noise(of_type(*which, scaled), TRUTH, band) for which in (("int16", 0), (kind, offset))
    )
    assert signed == pytest.approx(unsigned, rel=1e-4)


def test_a_filtered_recording_of_signed_samples_is_left_as_it_is(tmp_path: Path) -> None:
    recording = of_type("int16", 0, True)
    recording.annotate(is_filtered=True)
    export_phy(tmp_path / "phy", analyse(recording, TRUTH))
    traces = np.fromfile(tmp_path / "phy" / "recording.dat", "int16").reshape(-1, 4)
    assert np.array_equal(traces, recording.get_traces())
