"""A pool of scenes: the first of the endless stream, again and again."""

from __future__ import annotations

import numpy as np

from spikeline.sorting.simsort.scene_pool import ScenePool
from spikeline.sorting.simsort.training_scenes import TrainingScenes
from tests.sorting.simsort.small_scenes import ENTRIES, SETTINGS


def test_scenes_come_again_and_are_those_of_the_endless_stream() -> None:
    endless = TrainingScenes(ENTRIES, SETTINGS, 1, stage="test")
    pool = ScenePool(ENTRIES, SETTINGS, 1, stage="test", n_scenes=2)
    for index in range(5):
        assert np.array_equal(pool(index).traces, endless(index % 2).traces)
    assert not np.array_equal(pool(0).traces, pool(1).traces)


def test_a_small_pool_makes_each_scene_once() -> None:
    made: list[int] = []

    class Counting(ScenePool):
        def _make(self, index: int):
            made.append(index)
            return super()._make(index)

    pool = Counting(ENTRIES, SETTINGS, 1, stage="test", n_scenes=6, keep=2)
    for index in range(18):
        pool(index)
    assert sorted(made) == list(range(6))
