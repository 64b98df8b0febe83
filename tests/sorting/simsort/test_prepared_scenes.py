"""Prepared scenes and what batches are cut from them: pure functions of a number, from any thread."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from spikeline.errors import DataError
from spikeline.sorting.simsort import prepared_scenes
from spikeline.sorting.simsort.prepared_scenes import PreparedScenes
from spikeline.sorting.simsort.scenes import plan_scene
from tests.sorting.simsort.small_scenes import SETTINGS, scenes


@pytest.fixture(scope="module")
def some() -> PreparedScenes:
    return scenes(keep=16)


def test_a_scene_is_a_function_of_its_number(some: PreparedScenes) -> None:
    again = scenes(keep=1)
    with ThreadPoolExecutor(4) as pool:
        others = list(pool.map(again, [3, 1, 3, 0, 2, 1]))
    for index, other in zip([3, 1, 3, 0, 2, 1], others, strict=True):
        np.testing.assert_array_equal(some(index).traces, other.traces)
        np.testing.assert_array_equal(some(index).spike_samples, other.spike_samples)
        np.testing.assert_array_equal(some(index).unit_index, other.unit_index)
    for other in (some(1), scenes(seed=2)(0), scenes(stage="other")(0)):
        assert not np.array_equal(some(0).traces, other.traces)


def test_threads_that_want_the_same_scene_make_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: Counter[int] = Counter()

    def counting(entries: Any, settings: Any, index: int, *rest: Any, **options: Any) -> Any:
        made[index] += 1
        return plan_scene(entries, settings, index, *rest, **options)

    monkeypatch.setattr(prepared_scenes, "plan_scene", counting)
    shared = scenes(keep=4)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(shared, [5, 5, 6, 5, 6, 6]))
    assert made == {5: 1, 6: 1}


def test_absent_channels_are_zero_and_the_others_noise_of_density_1(some: PreparedScenes) -> None:
    present = []
    for index in range(16):
        traces = some(index).traces
        low, high = (bound * 20_000 for bound in SETTINGS.stretch)
        assert low - 1 <= len(traces) <= high + 1 and traces.shape[1] == 4 and traces.dtype == np.float32
        alive = (traces != 0).any(axis=0)
        present.append(int(alive.sum()))
        quiet = np.median(np.abs(traces[:, alive]), axis=0) / 0.6745
        np.testing.assert_allclose(quiet, np.sqrt(2700 / 5000), rtol=0.1)
        assert np.abs(traces[:, ~alive]).max(initial=0) == 0
    assert max(present) == 4 and min(present) < 4


def test_spikes_stand_at_peaks(some: PreparedScenes) -> None:
    for index in range(8):
        scene = some(index)
        assert (np.diff(scene.spike_samples) >= 0).all()
        inside = (scene.spike_samples > 30) & (scene.spike_samples < len(scene.traces) - 30)
        samples, units = scene.spike_samples[inside], scene.unit_index[inside]
        loudest = max(
            (
                np.abs(scene.traces[samples[units == unit][:, None] + np.arange(-20, 21)].mean(axis=0))
                for unit in np.unique(units)
            ),
            key=np.max,
        )
        course = loudest[:, loudest.max(axis=0).argmax()]
        assert course.max() > 3 and abs(int(course.argmax()) - 20) <= 2


def test_cells_of_the_other_side_are_refused() -> None:
    with pytest.raises(DataError, match="cell_b"):
        scenes(allowed_cells={"cell_a"})(0)
