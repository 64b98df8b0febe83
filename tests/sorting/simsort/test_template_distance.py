"""Distances of mean spikes against a dense grid; noise is no difference, on however many channels."""

from __future__ import annotations

import numpy as np
import pytest

from spikeline.sorting.simsort import template_distance
from spikeline.sorting.simsort.mean_spikes import MeanSpike, mean_spike
from spikeline.sorting.simsort.template_distance import difference, distance
from tests.sorting.simsort.planted import Shape, cut, noisy_spikes, spike_shape

BEFORE, AFTER = 20, 30


def template(shape: Shape, shift: float = 0.0) -> np.ndarray:
    return cut(shape, BEFORE, AFTER, shift)


@pytest.mark.parametrize("shift", [0.0, 0.5, -1.25, 3.0, -4.625])
def test_a_shifted_template_is_the_same_template(shift: float) -> None:
    shape = spike_shape(0)
    away, later = distance(template(shape), template(shape, shift))
    assert away < 0.02 * np.sqrt(300) and abs(later - shift) <= 0.5


@pytest.mark.parametrize("scale", [0.9, 1.1])
def test_a_little_larger_or_smaller_is_hardly_different(scale: float) -> None:
    one = template(spike_shape(0))
    away, later = distance(one, one * np.float32(scale))
    assert away < 1 and later == 0
    # as far as without any freedom: 10 % of the norm
    assert np.linalg.norm((1 - scale) * one) > 1.5


@pytest.mark.parametrize("pair", [(0, 1), (0, 3), (2, 1)])
def test_the_distance_is_the_least_of_a_dense_grid(pair: tuple[int, int]) -> None:
    first, second = spike_shape(pair[0]), spike_shape(pair[1], energy=250.0)
    reach, spread = template_distance._MOST_SHIFT, template_distance._USUAL_SPREAD
    shifted = np.stack([template(first, shift) for shift in np.arange(-reach, reach + 0.01, 0.1)])[:, None]
    scales = np.arange(template_distance._SMALLEST_SCALE, template_distance._LARGEST_SCALE, 0.01)[:, None, None]
    squared = ((scales * shifted - template(second)) ** 2).sum(axis=(2, 3)) + ((scales[:, 0, 0] - 1) / spread) ** 2
    away, _ = distance(template(first), template(second))
    assert away == pytest.approx(np.sqrt(squared.min()), rel=0.02)


def test_noise_of_the_averages_is_no_difference() -> None:
    one, same, other = (mean_spike(noisy_spikes(spike_shape(unit), 50, seed)) for seed, unit in enumerate([0, 0, 1]))
    assert difference(one, same).apart < 1.5 < 5 < difference(one, other).apart
    exact, again = (MeanSpike(template(spike_shape(0), shift), np.full(4, 1e-3)) for shift in (0.0, 2.0))
    found = difference(exact, again)
    assert found.apart == 0 and found.shift == 2 and found.likeness == pytest.approx(1, abs=0.01)


def test_the_noise_of_many_channels_brings_nothing_nearer() -> None:
    """Small units, means of 30 spikes: as different among 384 channels as on the four where they are seen."""
    one, other = (spike_shape(unit, energy=60.0) for unit in (0, 1))
    few = difference(*(mean_spike(noisy_spikes(shape, 30, seed)) for seed, shape in enumerate((one, other)))).apart
    wide = []
    for seed, shape in enumerate((one, other)):
        spikes = np.random.default_rng([seed, 5]).normal(size=(30, 384, 50)).astype(np.float32)
        spikes[:, 100:104] = noisy_spikes(shape, 30, seed)
        wide.append(mean_spike(spikes))
    assert few > 4
    assert difference(*wide).apart == pytest.approx(few, rel=0.15)


def test_means_of_few_spikes_are_as_different_as_the_units() -> None:
    """The noise is neither counted as a difference nor scaled away."""
    shapes = [spike_shape(unit, energy=100.0) for unit in (0, 1)]
    units = difference(*(MeanSpike(template(shape), np.zeros(4)) for shape in shapes)).apart
    found = [
        difference(*(mean_spike(noisy_spikes(shape, 30, 2 * seed + part)) for part, shape in enumerate(shapes))).apart
        for seed in range(40)
    ]
    assert np.mean(found) == pytest.approx(units, rel=0.05)
