"""One unit stays one however its spikes vary; two of the same size and different shapes are parted."""

from __future__ import annotations

import numpy as np
import pytest

from spikeline.sorting.simsort.subdividing import aligned_peaks, subdivide
from tests.sorting.simsort.planted import RATE_HZ, noise, plant, spike_shape, train

MINUTE = 600_000


def one_unit(variable: bool) -> tuple[np.ndarray, np.ndarray]:
    """Traces and the samples nearest to its spikes, which may be a sample off."""
    rng = np.random.default_rng(0)
    traces, samples = noise(MINUTE), train(8.0, MINUTE)
    times = samples + rng.uniform(-0.5, 0.5, len(samples))
    plant(traces, spike_shape(0), times, 1 + 0.12 * rng.normal(size=len(samples)) if variable else 1.0)
    return traces, samples + rng.choice([-1, 0, 1], len(samples))


@pytest.mark.parametrize("variable", [False, True])
def test_one_unit_stays_one(variable: bool) -> None:
    traces, peaks = one_unit(variable)
    [part] = subdivide(traces, peaks, RATE_HZ)
    assert len(part) == len(peaks) and (np.diff(part) > 0).all()
    assert np.abs(part - np.sort(peaks)).max() <= 3


def test_two_units_of_one_size_and_different_shapes_are_parted() -> None:
    traces = noise(MINUTE)
    trains = [train(8.0, MINUTE, unit) for unit in range(2)]
    for unit, samples in enumerate(trains):
        plant(traces, spike_shape(unit), samples)
    parts = subdivide(traces, np.sort(np.concatenate(trains)), RATE_HZ)
    assert len(parts) == 2
    for samples in trains:
        shares = [np.isin(part, samples[:, None] + np.arange(-2, 3)).mean() for part in parts]
        assert max(shares) > 0.95
    assert sum(map(len, parts)) == sum(map(len, trains))


def test_few_spikes_are_left_alone() -> None:
    peaks = np.array([100, 300, 900])
    [part] = subdivide(noise(2000), peaks, RATE_HZ)
    np.testing.assert_array_equal(part, peaks)


def test_peaks_are_moved_to_where_spikes_are_alike() -> None:
    traces, samples = noise(100_000), train(10.0, 100_000)
    plant(traces, spike_shape(0), samples)
    late = samples + np.random.default_rng(1).integers(-1, 2, len(samples))
    moved = aligned_peaks(traces, late)
    assert np.abs(moved - late).max() <= 2
    off = np.bincount((moved - samples) + 3, minlength=7) / len(samples)
    assert off.max() > 0.97  # all at the same sample of the spike
