"""A small cell for the tests of the bank."""

from __future__ import annotations

import numpy as np
import pytest

from spikeline.simulation.field.geometry import SegmentGeometry


@pytest.fixture
def geometry() -> SegmentGeometry:
    """A soma and three branches of ten segments."""
    generator = np.random.default_rng(1)
    starts, ends = [np.array([0.0, -8, 0])], [np.array([0.0, 8, 0])]
    for _ in range(3):
        direction = generator.standard_normal(3)
        direction /= np.linalg.norm(direction)
        points = direction * np.linspace(10, 310, 11)[:, None]
        starts += list(points[:-1])
        ends += list(points[1:])
    count = len(starts)
    return SegmentGeometry(
        np.array(starts), np.array(ends), np.r_[16.0, np.full(count - 1, 2.0)], np.arange(count) == 0
    )
