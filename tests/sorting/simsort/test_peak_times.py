"""Units' times are moved to where their mean spike peaks, each unit by one number of samples."""

from __future__ import annotations

import numpy as np
import pytest
import spikeinterface as si

from spikeline.sorting.simsort import peak_times
from spikeline.sorting.simsort.peak_times import moved_to_peaks
from tests.sorting.simsort.planted import noise, plant, spike_shape, train
from tests.sorting.trains import recording_of


@pytest.mark.parametrize("offset", [0.0, -2000.0])
def test_units_are_moved_to_their_peaks(offset: float) -> None:
    length = 100_000
    traces, trains = noise(length), [train(10.0, length, unit) for unit in range(3)]
    for unit, samples in enumerate(trains):
        plant(traces, spike_shape(unit, energy=900.0 if unit else 300.0), samples, -1.0 if unit == 1 else 1.0)
    slow = 50 * np.sin(2 * np.pi * np.arange(length) / 8000).astype(np.float32)
    recording = recording_of(traces + slow[:, None] + np.float32(offset))
    shifts = np.array([-3, 0, 4])
    unit_index = np.repeat(np.arange(3), [len(samples) for samples in trains])
    given = np.concatenate([samples + shift for samples, shift in zip(trains, shifts, strict=True)])
    order = np.argsort(given, kind="stable")
    moved = moved_to_peaks(recording, given[order], unit_index[order], np.array([0, 1, 2]))
    for unit, samples in enumerate(trains):
        np.testing.assert_array_equal(moved[unit_index[order] == unit], samples)


def test_spikes_stay_within_the_recording() -> None:
    recording = recording_of(noise(200))
    samples, units = np.array([0, 5, 199]), np.zeros(3, np.int64)
    np.testing.assert_array_equal(moved_to_peaks(recording, samples, units, np.array([2])), samples)  # too near an end
    nothing = np.empty(0, np.int64)
    assert len(moved_to_peaks(recording, nothing, nothing, nothing)) == 0


def recording_and_trains(length: int = 200_000) -> tuple[si.NumpyRecording, list[np.ndarray], np.ndarray]:
    """Units that fire all the time, in a part only, seldom, and never; best channels, one of them twice."""
    traces = 20 * noise(length)
    trains = [
        train(40.0, length),
        90_000 + train(60.0, 20_000, 1),
        np.array([31, 5000, 5001, 150_000]),
        np.array([], int),
    ]
    return recording_of(traces), trains, np.array([2, 0, 2, 1])


@pytest.mark.parametrize("dtype", [np.float32, np.int16])
def test_means_of_windows_read_together_are_those_read_one_by_one(dtype: type) -> None:
    _, trains, channels = recording_and_trains()
    recording = recording_of((20 * noise(200_000)).astype(dtype))
    around = 30
    means = peak_times._mean_windows(recording, trains, channels, around)
    assert means.shape == (4, 2 * around + 1) and (means[3] == 0).all()
    for mean, times, channel in zip(means[:3], trains, channels, strict=False):
        windows = [
            recording.get_traces(start_frame=int(t) - around, end_frame=int(t) + around + 1)[:, channel] for t in times
        ]
        np.testing.assert_array_equal(mean, np.mean(windows, axis=0, dtype=np.float64))


def test_a_recording_is_read_in_few_pieces_of_at_most_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    recording, trains, channels = recording_and_trains()
    read, whole = [], recording.get_traces

    def counted(start_frame: int, end_frame: int, channel_ids: np.ndarray) -> np.ndarray:
        read.append((start_frame, end_frame, len(channel_ids)))
        return whole(start_frame=start_frame, end_frame=end_frame, channel_ids=channel_ids)

    monkeypatch.setattr(recording, "get_traces", counted)
    units = np.repeat(np.arange(4), [len(times) for times in trains])
    order = np.argsort(np.concatenate(trains), kind="stable")
    moved_to_peaks(recording, np.concatenate(trains)[order], units[order], channels)
    lengths = np.array([stop - start for start, stop, _ in read])
    assert lengths.max() <= 10_000 and 20 <= len(read) <= 100  # of 404 windows in 20 s
    assert max(count for *_, count in read) <= 2  # units' channels alone
    starts, stops = np.array([part[:2] for part in read]).T
    assert (np.diff(starts) > 0).all() and (np.diff(stops) > 0).all()


@pytest.mark.parametrize("apart", [0, 1, 60, 61, 900, 1060, 1061, 1062, 9000, 20_000])
def test_windows_are_read_together_if_little_is_between_them(apart: int) -> None:
    times, rate_hz, window = np.array([500, 500 + apart]), 10_000.0, 61
    together = apart - window <= 1000
    expected = [(0, 2)] if together else [(0, 1), (1, 2)]
    assert list(peak_times._blocks(times, window, rate_hz)) == expected
    assert list(peak_times._blocks(times[:0], window, rate_hz)) == []
