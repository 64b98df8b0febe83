"""Evidence from spike times against counting pairs; clusters of one unit are merged, those of two are not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from spikeline.sorting.simsort import merging
from spikeline.sorting.simsort.merging import dip, merge_clusters, moving_residual, same_unit_evidence
from tests.sorting.simsort.planted import RATE_HZ, train

MINUTE = 600_000


def halves(samples: np.ndarray) -> np.ndarray:
    """Which of two clusters that a clustering cannot tell apart each spike is in."""
    return np.random.default_rng(0).integers(0, 2, len(samples))


def count_pairs(first: np.ndarray, second: np.ndarray, low: int, high: int) -> int:
    away = np.abs(first[:, None] - second[None])
    return int(((away > low) & (away <= high)).sum())


@pytest.mark.parametrize("span", [(0, 5), (8, 22), (100, 600)])
def test_pairs_are_those_of_all_pairs(span: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    first, second = (np.sort(rng.integers(0, 3000, n)) for n in (80, 130))
    expected = count_pairs(first, second, *span)
    assert expected > 0
    assert merging._pairs_within(first, second, *span) == merging._pairs_within(second, first, *span) == expected
    assert merging._pairs_within(first, second[:0], *span) == merging._pairs_within(first[:0], second, *span) == 0


@pytest.mark.parametrize("rate_hz", [RATE_HZ, 8_000.0])
def test_evidence_is_the_ratio_of_two_poisson_likelihoods(rate_hz: float) -> None:
    one, other = train(15.0, MINUTE // 2, 0), train(15.0, MINUTE // 2, 1)
    refractory, shoulder = (
        [round(bound * rate_hz / 1e3) for bound in bounds] for bounds in (merging.REFRACTORY_MS, merging.SHOULDER_MS)
    )
    seen = count_pairs(one, other, *refractory)
    expected = count_pairs(one, other, *shoulder) * np.diff(refractory)[0] / np.diff(shoulder)[0]
    ratio = stats.poisson.logpmf(seen, merging._LEFT * expected) - stats.poisson.logpmf(seen, expected)
    assert same_unit_evidence(one, other, rate_hz) == pytest.approx(ratio, rel=1e-9)
    assert same_unit_evidence(other, one, rate_hz) == pytest.approx(ratio, rel=1e-9)


def test_the_sign_of_the_evidence() -> None:
    one = train(25.0, MINUTE)
    half = halves(one)
    assert same_unit_evidence(one[half == 0], one[half == 1], RATE_HZ) > 5
    assert same_unit_evidence(one, train(25.0, MINUTE, 1), RATE_HZ) < -5
    apart = train(25.0, MINUTE // 2), MINUTE // 2 + train(25.0, MINUTE // 2, 1)
    assert same_unit_evidence(*apart, RATE_HZ) == pytest.approx(0, abs=0.5)
    assert same_unit_evidence(one, one[:0], RATE_HZ) == 0


def cloud(count: int, *centre: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, 6)) + np.r_[centre, np.zeros(6 - len(centre))]


def test_a_valley_is_as_deep_as_clusters_are_apart() -> None:
    whole = cloud(1000)
    one_cut_in_two = dip(whole[whole[:, 0] < 0], whole[whole[:, 0] >= 0])
    near, far = (dip(cloud(500), cloud(500, away, seed=1)) for away in (4.0, 7.0))
    assert one_cut_in_two < 2.5 < 5 < near < far
    # more spikes, more certain
    assert dip(cloud(100), cloud(100, 7.0, seed=1)) < far


def test_a_valley_does_not_depend_on_order_place_or_direction() -> None:
    one, other = cloud(300), cloud(400, 5.0, seed=1)
    valley = dip(one, other)
    assert dip(other, one) == pytest.approx(valley)
    rotation = np.linalg.qr(np.random.default_rng(2).normal(size=(6, 6)))[0]
    assert dip((one + 3) @ rotation, (other + 3) @ rotation) == pytest.approx(valley, rel=0.05)


def test_too_few_points_have_no_valley() -> None:
    assert dip(cloud(2), cloud(50, 5.0)) == 0
    assert dip(cloud(10), cloud(10)) == 0  # the same points
    assert moving_residual(cloud(2), cloud(50, 5.0), np.arange(2), np.arange(50)) == np.inf


def test_one_place_that_moves_is_told_from_two() -> None:
    samples = np.arange(0, 400_000, 500)
    first, second = cloud(400), cloud(400, 8.0, seed=1)
    moves = moving_residual(first, second, samples[:400], samples[400:])
    half = halves(samples[:400])  # who fires is left to chance, so both are active all the time
    together = moving_residual(first, second, samples[::2] + half, samples[1::2] - half)
    assert moves == pytest.approx(1, abs=0.3) and together > 4


def merged(points: np.ndarray, labels: np.ndarray, samples: np.ndarray) -> np.ndarray:
    order = np.argsort(samples, kind="stable")
    out = np.empty(len(labels), np.int64)
    out[order] = merge_clusters(points[order], labels[order], samples[order], RATE_HZ)
    return out


def test_a_unit_cut_in_parts_is_put_together() -> None:
    samples = train(20.0, MINUTE)
    points = cloud(len(samples))
    labels = np.digitize(points[:, 0], [-0.5, 0.7]).astype(np.int64)
    assert set(merged(points, labels, samples)) == {0}


def test_two_units_that_fire_independently_are_not_merged() -> None:
    one, other = train(10.0, MINUTE), train(12.0, MINUTE, 1)
    points = np.concatenate([cloud(len(one)), cloud(len(other), 5.0, seed=1)])
    labels = np.repeat([0, 1], [len(one), len(other)])
    np.testing.assert_array_equal(merged(points, labels, np.concatenate([one, other])), labels)


def test_a_unit_that_moves_is_one_and_two_that_take_turns_all_the_time_are_not() -> None:
    samples = train(8.0, MINUTE)
    points = cloud(len(samples))
    labels = (samples > MINUTE // 2).astype(np.int64)
    points[:, 0] += 6 * labels
    assert set(merged(points, labels, samples)) == {0}
    one, other = train(8.0, MINUTE), train(8.0, MINUTE, 1)
    labels = np.repeat([0, 1], [len(one), len(other)])
    points = cloud(len(labels))
    points[:, 0] += 6 * labels
    assert set(merged(points, labels, np.concatenate([one, other]))) == {0, 1}


def test_labels_start_at_0_in_the_order_of_first_spikes_and_none_stays_none() -> None:
    one, other = train(10.0, MINUTE), train(12.0, MINUTE, 1)
    points = np.concatenate([cloud(len(one)), cloud(len(other), 20.0, seed=1)])
    labels = np.repeat([7, 3], [len(one), len(other)])
    labels[[5, -5]] = -1
    out = merged(points, labels, np.concatenate([one, other]))
    np.testing.assert_array_equal(out == -1, labels == -1)
    first = 7 if one[0] < other[0] else 3
    assert set(out[labels == first]) == {0} and set(out) == {-1, 0, 1}
    nothing = np.full(10, -1)
    np.testing.assert_array_equal(merged(cloud(10), nothing, np.arange(10)), nothing)
    assert len(merged(cloud(0), np.empty(0, np.int64), np.empty(0, np.int64))) == 0


def test_chance_seldom_makes_a_dip_that_parts_clusters_for_good() -> None:
    """One unit's spikes cut in two where the cut is worst: through the middle."""
    rng = np.random.default_rng(0)
    dips = []
    for count in (100, 300, 1000):
        for _ in range(60):
            points = rng.normal(size=(count, 6))
            below = points[:, 0] < 0
            dips.append(dip(points[below], points[~below]))
    assert np.mean(np.array(dips) > merging.CHANCE_DIP) < 0.02 < np.mean(np.array(dips) > merging._USUAL_DIP)
