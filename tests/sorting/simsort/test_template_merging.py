"""Distances of templates against a dense grid; units found twice are merged, different ones kept."""

from __future__ import annotations

import numpy as np
import pytest

from spikeline.sorting.simsort import template_merging
from spikeline.sorting.simsort.template_merging import coincident_share, difference, distance, merge_units
from tests.sorting.simsort.planted import RATE_HZ, Shape, cut, spike_shape, train

MINUTE = 600_000
BEFORE, AFTER = 20, 30


def template(shape: Shape, shift: float = 0.0) -> np.ndarray:
    return cut(shape, BEFORE, AFTER, shift)


def noisy(shape: Shape, n_spikes: int, seed: int) -> np.ndarray:
    mean = template(shape)
    return mean + np.random.default_rng(seed).normal(size=mean.shape).astype(np.float32) / np.sqrt(n_spikes)


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
    reach, spread = template_merging._MOST_SHIFT, template_merging._USUAL_SPREAD
    shifted = np.stack([template(first, shift) for shift in np.arange(-reach, reach + 0.01, 0.1)])[:, None]
    scales = np.arange(template_merging._SMALLEST_SCALE, template_merging._LARGEST_SCALE, 0.01)[:, None, None]
    squared = ((scales * shifted - template(second)) ** 2).sum(axis=(2, 3)) + ((scales[:, 0, 0] - 1) / spread) ** 2
    away, _ = distance(template(first), template(second))
    assert away == pytest.approx(np.sqrt(squared.min()), rel=0.02)


def test_noise_of_the_averages_is_no_difference() -> None:
    one, same, other = (noisy(spike_shape(unit), 50, seed) for seed, unit in enumerate([0, 0, 1]))
    assert difference(one, same, 50, 50)[0] < 1.5 < 5 < difference(one, other, 50, 50)[0]
    exact, again = (template(spike_shape(0), shift) for shift in (0.0, 2.0))
    away, later = difference(exact, again, 10_000, 10_000)
    assert away == 0 and later == 2


@pytest.mark.parametrize("reach", [0, 3])
def test_the_share_of_coincidences_is_that_of_a_loop(reach: int) -> None:
    rng = np.random.default_rng(0)
    first, second = (np.sort(rng.integers(0, 2000, n)) for n in (60, 200))
    expected = np.mean([any(abs(spike - other) <= reach for other in second) for spike in first])
    assert coincident_share(first, second, reach) == coincident_share(second, first, reach) == expected
    assert coincident_share(first, first[:0], reach) == 0


def merged(trains: list[np.ndarray], templates: list[np.ndarray]) -> list[np.ndarray]:
    return merge_units(trains, np.array(templates), RATE_HZ)


@pytest.mark.parametrize("later", [-4, -1, 0, 2, 3])
def test_a_unit_found_twice_is_one_with_each_spike_once(later: int) -> None:
    samples, shape = train(10.0, MINUTE), spike_shape(0)
    one, other = (samples[kept] for kept in np.random.default_rng(0).uniform(size=(2, len(samples))) < 0.9)
    # spikes that are named later than they peak: their mean peaks before its middle
    [whole] = merged([one, other + later], [template(shape), 0.9 * template(shape, -later)])
    assert len(whole) == len(np.union1d(one, other))
    away = whole[:, None] - samples
    assert len(np.unique(away[np.abs(away) < 8])) == 1


def test_parts_of_one_unit_are_put_together() -> None:
    samples, shape = train(25.0, MINUTE), spike_shape(0)
    half = np.random.default_rng(0).integers(0, 2, len(samples))
    parts = [samples[half == 0], samples[half == 1]]
    [whole] = merged(parts, [noisy(shape, len(part), seed) for seed, part in enumerate(parts)])
    np.testing.assert_array_equal(whole, samples)


def test_different_units_are_kept() -> None:
    trains = [train(10.0, MINUTE, seed) for seed in range(4)]
    out = merged(trains, [noisy(spike_shape(unit), 600, unit) for unit in range(4)])
    assert len(out) == 4
    for before, after in zip(trains, out, strict=True):
        np.testing.assert_array_equal(before, after)


def test_units_alike_that_fire_independently_are_kept() -> None:
    trains = [train(25.0, MINUTE, seed) for seed in range(2)]
    first, second = spike_shape(0), spike_shape(1)
    between = [template(first), 0.8 * template(first) + 0.2 * template(second)]
    assert len(merged(trains, between)) == 2


def test_nothing_and_one_unit_stay() -> None:
    assert merge_units([], np.empty((0, 4, 50), np.float32), RATE_HZ) == []
    [only] = merged([np.array([5, 90])], [template(spike_shape(0))])
    np.testing.assert_array_equal(only, [5, 90])


def test_the_farther_apart_the_more_evidence_is_asked_for() -> None:
    """Two trains of few spikes may miss each other by chance: enough for like templates, not for different ones."""
    base, other = template(spike_shape(0)), template(spike_shape(1))
    first, second = train(2.5, MINUTE, seed=1), train(2.5, MINUTE, seed=2)
    second = second[np.abs(second[:, None] - first).min(axis=1) > 25]  # by chance none within 2.5 ms
    evidence = template_merging.same_unit_evidence(first, second, RATE_HZ)
    assert 0.5 < evidence < 2
    step = (other - base) / np.linalg.norm(other - base)
    asked = 2 * np.sqrt(evidence)
    merges = []
    for apart in (0.5 * asked, 1.6 * asked):
        squared = apart**2 + base.size * 2 / 150 + template_merging._USUAL_CHANGE**2 * float((base**2).sum())
        found, _ = difference(base, base + np.float32(np.sqrt(squared)) * step, 150, 150)
        merges.append((found, len(merged([first, second], [base, base + np.float32(np.sqrt(squared)) * step]))))
    (near, one), (far, two) = merges
    assert near < asked < far < 3.5 and (one, two) == (1, 2)
