"""Units' times are moved to where their mean spike peaks, each unit by one number of samples."""

from __future__ import annotations

import numpy as np
import pytest

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
