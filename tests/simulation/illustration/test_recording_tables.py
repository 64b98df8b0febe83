"""The tables of the recording's figure, on a recording with known spikes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from spikeline.artifacts import seed_stream
from spikeline.errors import DataError
from spikeline.simulation.illustration.filtered import band_passed, noise_level, spike_waveforms
from spikeline.simulation.illustration.recording import busiest_window, recording_tables

si = pytest.importorskip("spikeinterface")
probeinterface = pytest.importorskip("probeinterface")

RATE = 10_000.0
SIZES = {"a": 120.0, "b": 60.0}


def labelled_recording(channels: int = 4, seconds: float = 4.0):
    """Two units, largest on the first and the last channel, in white noise of 5 uV."""
    stream = seed_stream(1, "test-labelled")
    traces = 5.0 * stream.normal(size=(round(seconds * RATE), channels))
    time = np.arange(-20, 30) / 10
    shape = -np.exp(-0.5 * (time / 0.15) ** 2) + 0.4 * np.exp(-0.5 * ((time - 0.6) / 0.3) ** 2)
    trains = {}
    for unit, home in (("a", 0), ("b", channels - 1)):
        trains[unit] = np.sort(stream.choice(np.arange(100, len(traces) - 100, 60), 40, replace=False)) + (
            0 if unit == "a" else 30
        )
        gain = SIZES[unit] / (1 + np.abs(np.arange(channels) - home))
        for peak in trains[unit]:
            traces[peak - 20 : peak + 30] += shape[:, None] * gain
    recording = si.NumpyRecording([traces.astype(np.float32)], RATE)
    recording.set_channel_gains(1.0)
    recording.set_channel_offsets(0.0)
    probe = probeinterface.generate_linear_probe(num_elec=channels, ypitch=20.0)
    probe.set_device_channel_indices(np.arange(channels))
    recording.set_probe(probe)
    return recording, si.NumpySorting.from_unit_dict([trains], RATE)


def test_units_are_measured_where_they_are_largest() -> None:
    recording, truth = labelled_recording()
    tables = recording_tables(
        recording,
        truth,
        unit_facts=pd.DataFrame({"unit_id": ["a"], "cell": ["L5_NBC_bAC217_1"], "x_um": [7.0], "y_um": [9.0]}),
    )
    units = tables["units"].set_index("unit_id")
    assert (
        list(units["channel"]) == ["0", "3"]
        and units.loc["a", "cell"] == "L5_NBC_bAC217_1"
        and units.loc["b", "cell"] == "unknown"
    )
    assert tuple(units.loc["a", ["x_um", "y_um"]]) == (7.0, 9.0) and 30 < units.loc["b", "y_um"] <= 60
    assert units.loc["a", "peak_to_peak_uv"] == pytest.approx(2 * units.loc["b", "peak_to_peak_uv"], rel=0.15)
    assert units.loc["a", "snr"] > 10 and list(units["n_spikes"]) == [40, 40]


def test_the_excerpt_is_the_filtered_recording_with_its_true_spikes() -> None:
    recording, truth = labelled_recording()
    tables = recording_tables(recording, truth, window_ms=200)
    wide = tables["excerpt"].pivot(index="time_ms", columns="channel", values="potential_uv")
    assert wide.shape == (2000, 4) and len(tables["contacts"]) == 4
    for spike in tables["spikes"].itertuples():
        if 1 < spike.time_ms < 198 and spike.unit_id == "a":
            around = wide.loc[
                spike.time_ms - 0.5 : spike.time_ms + 0.5,
                int(spike.channel) if wide.columns.dtype.kind == "i" else spike.channel,
            ]
            assert around.min() < -40
    assert set(tables["spikes"]["unit_id"]) == {"a", "b"}


def test_of_a_large_probe_the_channels_near_the_units_are_kept() -> None:
    recording, truth = labelled_recording(channels=12)
    excerpt = recording_tables(recording, truth, window_ms=50, most_channels=8)["excerpt"]
    assert set(excerpt["channel"]) == {"0", "1", "2", "3", "8", "9", "10", "11"}


def test_the_noise_level_is_that_of_the_noise() -> None:
    recording, _ = labelled_recording()
    np.testing.assert_allclose(noise_level(recording), 5.0, rtol=0.12)


def test_a_unit_without_whole_spikes_has_no_waveform() -> None:
    recording, _ = labelled_recording()
    mean, deviation = spike_waveforms(recording, np.array([2]), 10, 20)
    assert mean.shape == (30, 4) and np.isnan(mean).all() and np.isnan(deviation).all()


def test_the_busiest_window_has_most_units_first_and_most_spikes_second() -> None:
    trains = {"a": np.array([100, 110, 120, 130, 5000]), "b": np.array([5050, 9000]), "c": np.array([9050, 9060])}
    start = busiest_window(trains, 10_000, 200)
    assert start <= 9000 and start + 200 > 9060
    assert busiest_window({"a": np.array([], dtype=int)}, 1000, 5000) == 0


def test_what_cannot_be_drawn_is_refused() -> None:
    recording, truth = labelled_recording()
    with pytest.raises(DataError, match="band of 6000-7000 Hz"):
        band_passed(recording, (6000.0, 7000.0))
    with pytest.raises(DataError, match="no spikes"):
        recording_tables(recording, si.NumpySorting.from_unit_dict([{"a": np.array([], dtype=np.int64)}], RATE))
    bare = si.NumpyRecording([np.zeros((1000, 2), np.float32)], RATE)
    with pytest.raises(DataError, match="no contact positions"):
        recording_tables(bare, truth)
