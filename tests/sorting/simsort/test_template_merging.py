"""Units found twice are merged, different ones kept, on tetrodes and among hundreds of channels."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from spikeline.sorting.simsort import template_distance, template_merging
from spikeline.sorting.simsort.mean_spikes import MeanSpike, mean_spike
from spikeline.sorting.simsort.template_distance import difference
from spikeline.sorting.simsort.template_merging import alternation, coincident_share, merge_units
from tests.sorting.simsort.planted import RATE_HZ, Shape, cut, noisy_spikes, spike_shape, train

MINUTE = 600_000
BEFORE, AFTER = 20, 30


def exact(waveform: np.ndarray) -> MeanSpike:
    """A mean without noise."""
    return MeanSpike(waveform.astype(np.float32), np.zeros(len(waveform)))


def template(shape: Shape, shift: float = 0.0) -> np.ndarray:
    return cut(shape, BEFORE, AFTER, shift)


def noisy(shape: Shape, n_spikes: int, seed: int) -> MeanSpike:
    return mean_spike(noisy_spikes(shape, n_spikes, seed))


@pytest.mark.parametrize("reach", [0, 3])
def test_the_share_of_coincidences_is_that_of_a_loop(reach: int) -> None:
    rng = np.random.default_rng(0)
    first, second = (np.sort(rng.integers(0, 2000, n)) for n in (60, 200))
    expected = np.mean([any(abs(spike - other) <= reach for other in second) for spike in first])
    assert coincident_share(first, second, reach) == coincident_share(second, first, reach) == expected
    assert coincident_share(first, first[:0], reach) == 0


def merged(trains: list[np.ndarray], means: list[MeanSpike]) -> list[np.ndarray]:
    return merge_units(trains, means, RATE_HZ)


@pytest.mark.parametrize("later", [-4, -1, 0, 2, 3])
def test_a_unit_found_twice_is_one_with_each_spike_once(later: int) -> None:
    samples, shape = train(10.0, MINUTE), spike_shape(0)
    one, other = (samples[kept] for kept in np.random.default_rng(0).uniform(size=(2, len(samples))) < 0.9)
    # spikes that are named later than they peak: their mean peaks before its middle
    [whole] = merged([one, other + later], [exact(template(shape)), exact(0.9 * template(shape, -later))])
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
    between = [exact(template(first)), exact(0.8 * template(first) + 0.2 * template(second))]
    assert len(merged(trains, between)) == 2


def test_small_units_all_over_a_dense_probe_are_kept() -> None:
    """Of few spikes each: on 384 channels the noise of their means is far larger than they are."""
    units = range(0, 384, 48)
    trains = [train(0.7, MINUTE, unit) for unit in units]
    shapes = [spike_shape(unit, 384, energy=40.0) for unit in units]
    means = [noisy(shape, len(own), unit) for shape, own, unit in zip(shapes, trains, units, strict=True)]
    assert max(map(len, trains)) < 60
    assert len(merged(trains, means)) == len(trains)
    again = [noisy(shape, len(own), 1000 + unit) for shape, own, unit in zip(shapes, trains, units, strict=True)]
    whole = merged(trains + trains, means + again)
    assert len(whole) == len(trains)


def test_alternation_is_the_share_of_changes() -> None:
    rng = np.random.default_rng(0)
    times = rng.choice(100_000, 1000, replace=False)
    one, other = np.sort(times[:700]), np.sort(times[700:])
    owners = [unit for _, unit in sorted([(time, 0) for time in one] + [(time, 1) for time in other])]
    changes = sum(a != b for a, b in pairwise(owners))
    assert alternation(one, other) == alternation(other, one) == pytest.approx(changes / 420)
    assert alternation(one, other) == pytest.approx(1, abs=0.15)
    assert alternation(one, one + 200_000) == pytest.approx(1 / 700)
    assert alternation(one, one[:0]) == 0


@pytest.mark.parametrize(("later", "units"), [(MINUTE // 2, 1), (0, 2)])
def test_one_shape_that_changes_its_size_at_a_jump_is_one_unit(later: int, units: int) -> None:
    """Not if both sizes are there at the same time, and not if the shapes are different."""
    one, other = train(10.0, MINUTE // 2, 0), later + train(10.0, MINUTE // 2, 1)
    small, large, different = spike_shape(0), spike_shape(0, energy=1500.0), spike_shape(1, energy=1500.0)
    assert difference(*(exact(template(shape)) for shape in (small, large))).apart > 7
    assert len(merged([one, other], [exact(template(small)), exact(template(large))])) == units
    assert len(merged([one, other], [exact(template(small)), exact(template(different))])) == 2


def test_nothing_and_one_unit_stay() -> None:
    assert merge_units([], [], RATE_HZ) == []
    [only] = merged([np.array([5, 90])], [exact(template(spike_shape(0)))])
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
        squared = apart**2 + template_distance._USUAL_CHANGE**2 * float((base**2).sum())
        pair = [exact(base), exact(base + np.float32(np.sqrt(squared)) * step)]
        merges.append((difference(*pair).apart, len(merged([first, second], pair))))
    (near, one), (far, two) = merges
    assert near < asked < far < 3.5 and (one, two) == (1, 2)
