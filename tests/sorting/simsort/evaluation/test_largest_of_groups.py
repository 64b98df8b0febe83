"""One event per spike where several groups of channels see it: the rule of a loop over all pairs."""

from __future__ import annotations

import numpy as np
import pytest

from spikeline.sorting.simsort.evaluation.largest_of_groups import largest_of_groups


@pytest.mark.parametrize("seed", range(3))
def test_as_a_loop_over_pairs(seed: int) -> None:
    draw = np.random.default_rng(seed)
    samples = np.sort(draw.integers(0, 600, 300))
    # whole heights: some events are equal, as one spike on one channel is for two groups
    places, heights = draw.uniform(0, 400, (300, 2)), draw.integers(3, 20, 300).astype(np.float32)
    groups = draw.integers(0, 4, 300)
    expected = [
        not any(
            abs(samples[i] - samples[j]) <= 5
            and np.linalg.norm(places[i] - places[j]) <= 150
            and groups[i] != groups[j]
            and (heights[i] < heights[j] or (heights[i] == heights[j] and groups[i] > groups[j]))
            for j in range(300)
        )
        for i in range(300)
    ]
    kept = largest_of_groups(samples, places, heights, groups)
    assert 0.2 < kept.mean() < 0.95
    np.testing.assert_array_equal(kept, expected)


def test_one_group_and_no_event_are_left_alone() -> None:
    samples, places = np.arange(0, 20, 2), np.zeros((10, 2))
    assert largest_of_groups(samples, places, np.arange(10, dtype=np.float32), np.zeros(10, np.int64)).all()
    nothing = largest_of_groups(samples[:0], places[:0], np.empty(0, np.float32), np.empty(0, np.int64))
    assert nothing.shape == (0,)
