"""Batches of the detector: pure functions of their step, labelled where spikes peak."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from spikeline.sorting.simsort.detection_batches import DetectionBatches, spike_labels
from spikeline.sorting.simsort.prepared_scenes import PreparedScenes
from tests.sorting.simsort.small_scenes import ENTRIES, SETTINGS, scenes


@pytest.fixture(scope="module")
def source() -> PreparedScenes:
    return scenes(keep=8)


@pytest.mark.parametrize("reach", [0, 1, 3])
def test_labels_are_those_of_a_loop(reach: int) -> None:
    spikes = np.array([0, 1, 10, 11, 30, 49])
    expected = [float(any(abs(at - spike) <= reach for spike in spikes)) for at in range(50)]
    np.testing.assert_array_equal(spike_labels(spikes, 50, reach), expected)
    assert spike_labels(np.empty(0, np.int64), 5).tolist() == [0] * 5


def test_a_batch_is_a_function_of_its_step(source: PreparedScenes) -> None:
    options = {"windows": 8, "samples": 200, "scenes_per_batch": 2, "steps_per_scene": 2}
    batches = DetectionBatches(source, **options)
    again = DetectionBatches(PreparedScenes(ENTRIES, SETTINGS, 1, stage="test", keep=1), **options)
    with ThreadPoolExecutor(3) as pool:
        others = list(pool.map(again.batch, [2, 0, 1]))
    for step, other in zip([2, 0, 1], others, strict=True):
        one = batches.batch(step)
        assert one["traces"].shape == (8, 4, 200) and one["labels"].shape == one["counted"].shape == (8, 200)
        for name in one:
            np.testing.assert_array_equal(one[name], other[name])
    assert not np.array_equal(batches.batch(0)["traces"], batches.batch(1)["traces"])


def test_windows_are_cut_from_their_scenes_with_the_labels_there(source: PreparedScenes) -> None:
    options = {"windows": 6, "samples": 300, "scenes_per_batch": 2, "steps_per_scene": 2}
    batch = DetectionBatches(source, least_template_norms=[0.0] * 4, **options).batch(3)
    assert set(np.unique(batch["labels"])) == {0.0, 1.0} and (batch["counted"] == 1).all()
    for window in range(6):
        scene = source(3 + window // 3)  # step 3 of 2 steps per scene and 2 scenes per batch starts at scene 3
        loud = int(np.abs(scene.traces).sum(axis=0).argmax())
        whole = np.lib.stride_tricks.sliding_window_view(scene.traces[:, loud], 300)
        [start] = np.flatnonzero((whole == batch["traces"][window, loud]).all(axis=1))
        np.testing.assert_array_equal(batch["traces"][window].T, scene.traces[start : start + 300])
        for at in range(300):
            near = (np.abs(scene.spike_samples - (start + at)) <= 1).any()
            assert batch["labels"][window, at] == near


def test_spikes_of_small_units_do_not_count(source: PreparedScenes) -> None:
    def marks(least: float) -> tuple[np.ndarray, np.ndarray]:
        batches = DetectionBatches(
            source, windows=40, samples=400, scenes_per_batch=1, steps_per_scene=1, least_template_norms=[least] * 4
        )
        batch = batches.batch(0)
        return batch["labels"].astype(bool), batch["counted"].astype(bool)

    scene = source(0)
    every, _ = marks(0.0)
    assert scene.template_norms.shape == (scene.unit_index.max() + 1,)
    for least in np.sort(scene.template_norms) + 1e-6:  # from the smallest unit alone to all
        labels, counted = marks(least)
        assert (labels <= every).all() and (labels <= counted).all()
        assert not counted[every & ~labels].any()
        assert counted.mean() > 0.3
    assert not labels.any() and not counted.all()
    large, _ = marks(np.inf)
    assert not large.any()


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_the_bound_is_that_of_the_channels_seen(source: PreparedScenes, channels: int) -> None:
    seen = source.seen_on(channels)
    bounds = [np.inf] * 4
    bounds[channels - 1] = 0.0
    options = {"windows": 4, "samples": 400, "scenes_per_batch": 1, "steps_per_scene": 1}
    assert seen(0).n_channels == channels
    assert DetectionBatches(seen, least_template_norms=bounds, **options).batch(0)["labels"].any()
    bounds = [0.0] * 4
    bounds[channels - 1] = np.inf
    assert not DetectionBatches(seen, least_template_norms=bounds, **options).batch(0)["labels"].any()


def test_successive_steps_share_scenes() -> None:
    asked: list[int] = []

    class Listening(PreparedScenes):
        def _make(self, index: int):
            asked.append(index)
            return super()._make(index)

    batches = DetectionBatches(
        Listening(ENTRIES, SETTINGS, 1, stage="test", keep=2),
        windows=2, samples=100, scenes_per_batch=2, steps_per_scene=4,
    )  # fmt: skip
    for step in range(8):
        batches.batch(step)
    assert sorted(asked) == [0, 1, 2, 3, 4]
