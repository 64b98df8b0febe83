"""First centres lie in every cluster, lower the cost as a search over all parts does, and hardly feel rounding."""

from __future__ import annotations

import numpy as np
import pytest

from spikeline.sorting.simsort import first_centres as module
from spikeline.sorting.simsort.first_centres import first_centres


def clusters(sizes: list[int], apart: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    truth = np.repeat(np.arange(len(sizes)), sizes)
    centres = apart * draw.normal(size=(len(sizes), 8))
    return (centres[truth] + draw.normal(size=(len(truth), 8))).astype(np.float32), centres


@pytest.mark.parametrize("sizes", [[200] * 5, [2000, 40, 40], [500]])
def test_every_cluster_gets_one_soon(sizes: list[int]) -> None:
    points, centres = clusters(sizes, apart=10.0)
    found = first_centres(points, 2 * len(sizes))  # some lie between clusters, where a part holds points of two
    assert np.linalg.norm(found[:, None] - centres[None], axis=-1).min(axis=0).max() < 3


def test_each_place_is_the_one_that_lowers_the_cost_most() -> None:
    points, _ = clusters([60, 60, 60], apart=3.0)
    places = np.array([points[part].mean(axis=0, dtype=np.float64) for part in module._parts(points)])
    cost = lambda taken: ((places[:, None] - taken[None]) ** 2).sum(-1).min(1).sum()  # noqa: E731
    found = first_centres(points, 6)
    for number in range(6):
        best = min(cost(np.vstack([found[:number], place])) for place in places)
        assert cost(found[: number + 1]) == pytest.approx(best, rel=1e-9)


def test_parts_hold_every_point_once_and_are_of_a_size() -> None:
    for count in (1, 8, 9, 100, 1001, 20_000):
        points = np.random.default_rng(count).normal(size=(count, 3)).astype(np.float32)
        parts = module._parts(points)
        assert sorted(np.concatenate(parts).tolist()) == list(range(count))
        assert max(map(len, parts)) <= max(8, -(-count // 1000)) and min(map(len, parts)) >= min(4, count)


def test_neither_order_nor_rounding_moves_them_much() -> None:
    points, _ = clusters([150] * 6, apart=2.0)
    found = first_centres(points, 20)
    order = np.random.default_rng(0).permutation(len(points))
    np.testing.assert_allclose(first_centres(points[order], 20), found, atol=1e-9)
    rounded = points + np.random.default_rng(1).normal(scale=1e-5, size=points.shape).astype(np.float32)
    np.testing.assert_allclose(first_centres(rounded, 20), found, atol=1e-3)


def test_no_more_centres_than_places() -> None:
    assert first_centres(np.ones((50, 4), np.float32), 10).tolist() == [[1.0] * 4]
    assert len(first_centres(np.arange(6.0)[:, None], 10)) == 1  # fewer points than a part holds
