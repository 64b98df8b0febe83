"""A mixture finds planted Gaussians, their number and their centres, in any order of the points."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logsumexp

from spikeline.sorting.simsort import mixture
from spikeline.sorting.simsort.mixture import fit_mixture

CENTRES = np.zeros((5, 6), np.float32)
CENTRES[1:] = 9 * np.eye(6)[:4]


def planted(counts: list[int], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Points around the first centres, and which."""
    truth = np.repeat(np.arange(len(counts)), counts)
    scatter = np.random.default_rng(seed).normal(size=(len(truth), CENTRES.shape[1]))
    return (CENTRES[truth] + scatter).astype(np.float32), truth


def same_partition(one: np.ndarray, other: np.ndarray) -> float:
    """Share of points whose part in one is, by majority, the same points as in the other; at best 1."""
    table = np.zeros((one.max() + 2, other.max() + 2), int)
    np.add.at(table, (one + 1, other + 1), 1)
    return min(table.max(axis=0).sum(), table.max(axis=1).sum()) / len(one)


@pytest.mark.parametrize("counts", [[300, 300, 300, 300, 300], [800, 800], [120, 120, 120]])
def test_planted_gaussians_are_found(counts: list[int]) -> None:
    points, truth = planted(counts)
    centres, labels = fit_mixture(points)
    assert len(centres) == len(counts)
    away = np.linalg.norm(centres[:, None] - CENTRES[None, : len(counts)], axis=-1)
    assert sorted(away.argmin(axis=1)) == list(range(len(counts)))
    assert (away.min(axis=0) < 5 * np.sqrt(CENTRES.shape[1] / np.array(counts))).all()
    assert same_partition(labels, truth) > 0.97
    assert (labels >= 0).mean() > 0.97


def test_small_ones_beside_large_ones_are_not_lost() -> None:
    points, truth = planted([1500, 60, 30])
    centres, labels = fit_mixture(points)
    for unit in range(3):
        assert np.linalg.norm(centres - CENTRES[unit], axis=1).min() < 2
    parts = [set(labels[truth == unit]) - {-1} for unit in range(3)]
    assert not (parts[0] & parts[1] or parts[0] & parts[2] or parts[1] & parts[2])


@pytest.mark.parametrize("count", [30, 300, 3000])
def test_one_gaussian_is_one_component(count: int) -> None:
    centres, labels = fit_mixture(planted([count])[0])
    assert len(centres) == 1 and np.linalg.norm(centres[0]) < 5 * np.sqrt(6 / count)
    assert (labels == 0).mean() > 0.95


def test_the_order_of_the_points_does_not_matter() -> None:
    points, _ = planted([300, 300, 300])
    centres, labels = fit_mixture(points)
    order = np.random.default_rng(1).permutation(len(points))
    shuffled_centres, shuffled = fit_mixture(points[order])
    assert len(centres) == len(shuffled_centres) == 3
    assert same_partition(shuffled, labels[order]) == 1
    np.testing.assert_array_equal(shuffled == -1, labels[order] == -1)
    again, same = fit_mixture(points)
    np.testing.assert_array_equal(again, centres)
    np.testing.assert_array_equal(same, labels)


def test_what_is_far_from_everything_belongs_to_none() -> None:
    points, _ = planted([500, 300])
    directions = np.random.default_rng(2).normal(size=(12, 6))
    outliers = 30 * directions / np.linalg.norm(directions, axis=1, keepdims=True)
    centres, labels = fit_mixture(np.concatenate([points, outliers.astype(np.float32)]))
    assert len(centres) == 2
    assert (labels[-12:] == -1).all()
    assert (labels[:-12] >= 0).mean() > 0.97


def test_a_pass_of_the_expectation_is_that_of_the_formula() -> None:
    rng = np.random.default_rng(3)
    points, centres = (rng.normal(size=(n, 6)).astype(np.float32) for n in (200, 4))
    log_weights, log_wide = rng.normal(size=4).astype(np.float32), rng.normal(-3, 1, 200).astype(np.float32)
    sums, counts, labels = np.zeros((4, 6)), np.zeros(4), np.empty(200, np.int64)
    likelihood = mixture._expectation(points, centres, log_weights, log_wide, sums, counts, labels)
    squared = ((points[:, None] - centres[None]) ** 2).sum(axis=-1)
    logs = np.concatenate([log_wide[:, None], log_weights - squared / 2], axis=1)
    total = logsumexp(logs, axis=1)
    shares = np.exp(logs - total[:, None])[:, 1:]
    assert likelihood == pytest.approx(total.sum(), rel=1e-5)
    np.testing.assert_allclose(counts, shares.sum(axis=0), atol=0.05)  # shares below 1e-4 are left out
    np.testing.assert_allclose(sums, shares.T @ points, atol=0.1)
    np.testing.assert_array_equal(labels, logs.argmax(axis=1) - 1)


def test_few_points() -> None:
    for count in (2, 5, 15):
        points, _ = planted([count])
        centres, labels = fit_mixture(points)
        assert len(centres) == 1 and len(labels) == count and np.isfinite(centres).all()


def test_more_points_than_are_fitted_are_all_labelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mixture, "_MOST_POINTS", 600)
    points, truth = planted([1600, 1400])
    order = np.random.default_rng(0).permutation(len(points))
    centres, labels = fit_mixture(points[order])
    assert len(labels) == 3000 and len(centres) == 2
    assert same_partition(labels, truth[order]) > 0.97
