"""Batches of the identifier: pure functions of their step, snippets of the spikes of all units of some scenes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from spikeline.errors import DataError
from spikeline.sorting.simsort.identification_batches import IdentificationBatches
from spikeline.sorting.simsort.prepared_scenes import PreparedScene, PreparedScenes
from spikeline.sorting.simsort.snippets import SNIPPET_SAMPLES, cut_snippets
from tests.sorting.simsort.planted import noise
from tests.sorting.simsort.small_scenes import ENTRIES, SETTINGS, scenes


class Handmade:
    """Scenes whose spikes are known; each unit fires 2, 3, 4, ... times, at places that no other spike has."""

    seed, stage = 3, "handmade"

    def __call__(self, index: int) -> PreparedScene:
        units = np.repeat(np.arange(5), np.arange(2, 7))
        samples = np.sort(np.random.default_rng(index).permutation(np.arange(20, 1940, 40))[: len(units)])
        return PreparedScene(noise(2000, 4, index), samples, np.random.default_rng(index).permutation(units))


def test_a_batch_is_a_function_of_its_step() -> None:
    options = {"scenes_per_batch": 2, "spikes_per_unit": 8, "steps_per_scene": 2}
    batches = IdentificationBatches(scenes(keep=8), **options)
    again = IdentificationBatches(PreparedScenes(ENTRIES, SETTINGS, 1, stage="test", keep=1), **options)
    with ThreadPoolExecutor(3) as pool:
        others = list(pool.map(again.batch, [2, 0, 1]))
    for step, other in zip([2, 0, 1], others, strict=True):
        one = batches.batch(step)
        assert one["snippets"].shape == (len(one["unit"]), 4, SNIPPET_SAMPLES) and len(one["scene"]) == len(one["unit"])
        for name in one:
            np.testing.assert_array_equal(one[name], other[name])
    assert not np.array_equal(batches.batch(0)["snippets"][:4], batches.batch(1)["snippets"][:4])


@pytest.mark.parametrize("step", [0, 1, 5])
def test_every_snippet_is_a_spike_of_its_unit_at_most_one_sample_off(step: int) -> None:
    batch = IdentificationBatches(Handmade(), scenes_per_batch=2, spikes_per_unit=5, steps_per_scene=2).batch(step)
    # of units with 2 to 6 spikes those with 4 or more, with at most 5; numbered through both scenes
    np.testing.assert_array_equal(np.unique(batch["unit"], return_counts=True)[1], [4, 5, 5] * 2)
    np.testing.assert_array_equal(np.unique(batch["unit"]), np.arange(6))
    np.testing.assert_array_equal(batch["scene"], batch["unit"] // 3)
    shifts = []
    for part in range(2):
        scene = Handmade()(step + part)
        for unit in range(3):
            own = batch["snippets"][batch["unit"] == 3 * part + unit]
            train = scene.spike_samples[scene.unit_index == unit + 2]
            seen = set()
            for snippet in own:
                [(spike, shift)] = [
                    (spike, shift)
                    for spike in train
                    for shift in (-1, 0, 1)
                    if np.array_equal(cut_snippets(scene.traces, np.array([spike + shift]))[0], snippet)
                ]
                seen.add(spike)
                shifts.append(shift)
            assert len(seen) == len(own)  # no spike twice
    assert set(shifts) == {-1, 0, 1}


def test_without_jitter_snippets_stand_at_the_peak() -> None:
    batch = IdentificationBatches(Handmade(), scenes_per_batch=1, jitter=(0.0, 1.0, 0.0)).batch(0)
    scene = Handmade()(0)
    everything = {snippet.tobytes() for snippet in cut_snippets(scene.traces, scene.spike_samples)}
    assert all(snippet.tobytes() in everything for snippet in batch["snippets"])


class Quiet(Handmade):
    """Of each scene only the unit that fires 3 times."""

    def __call__(self, index: int) -> PreparedScene:
        whole = super().__call__(index)
        own = whole.unit_index == 1
        return PreparedScene(whole.traces, whole.spike_samples[own], whole.unit_index[own])


def test_scenes_without_a_unit_that_fires_often_enough_are_refused() -> None:
    batches = IdentificationBatches(Quiet(), scenes_per_batch=2)
    with pytest.raises(DataError, match=r"step 7 of handmade.* than 3 times\n.*4 spikes.*\n.*rate_hz, duration_s"):
        batches.batch(7)
