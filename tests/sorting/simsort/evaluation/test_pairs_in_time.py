"""Pairs near in time are those of a loop over both lists."""

from __future__ import annotations

import numpy as np
import pytest

from spikeline.sorting.simsort.evaluation.pairs_in_time import pairs_in_time


@pytest.mark.parametrize("reach", [0, 3, 50])
@pytest.mark.parametrize("sizes", [(40, 60), (0, 5), (5, 0), (0, 0)])
def test_as_a_loop(reach: int, sizes: tuple[int, int]) -> None:
    draw = np.random.default_rng(reach)
    first, second = (np.sort(draw.integers(0, 300, size)) for size in sizes)
    expected = [(i, j) for i, a in enumerate(first) for j, b in enumerate(second) if abs(int(a) - int(b)) <= reach]
    rows, columns = pairs_in_time(first, second, reach)
    assert list(zip(rows.tolist(), columns.tolist(), strict=True)) == expected
