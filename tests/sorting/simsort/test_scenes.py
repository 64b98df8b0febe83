"""Scenes: pure functions of their number, with spikes where the traces have them, of the cells that are allowed."""

from __future__ import annotations

import numpy as np
import pytest

from spikeline.config.simsort import SceneSettings
from spikeline.errors import DataError
from spikeline.simulation.recordings.simulated_recording import render
from spikeline.sorting.simsort.scenes import ScenePlan, plan_scene
from tests.simulation.recordings_fixtures import make_entry

BANK = [make_entry(cell, seed) for cell in ("cell_a", "cell_b", "cell_c") for seed in (0, 1)]
SHORT = SceneSettings(duration_s=3.0, distance_um=(10.0, 40.0))


def traces(scene: ScenePlan) -> np.ndarray:
    return render(scene.recording, 1)


def test_a_scene_is_a_function_of_its_number() -> None:
    first, again, other = (plan_scene(BANK, SHORT, index, seed=5) for index in (3, 3, 4))
    np.testing.assert_array_equal(traces(first), traces(again))
    np.testing.assert_array_equal(first.spike_samples, again.spike_samples)
    assert not np.array_equal(traces(first), traces(other))
    assert not np.array_equal(traces(first), traces(plan_scene(BANK, SHORT, 3, seed=5, stage="validation")))
    assert not np.array_equal(traces(first), traces(plan_scene(BANK, SHORT, 3, seed=6)))


def test_what_is_drawn_stays_within_its_bounds() -> None:
    scenes = [plan_scene(BANK, SHORT, index, seed=1) for index in range(12)]
    counts = [len(np.unique(scene.unit_index)) for scene in scenes]
    assert 2 <= min(counts) < max(counts) <= 8
    noise = [scene.noise_uv for scene in scenes]
    assert 4 <= min(noise) < 8 < max(noise) <= 16
    for scene in scenes:
        made = traces(scene)
        assert made.shape == (30_000, 4) and np.isfinite(made).all()
        assert (np.diff(scene.spike_samples) >= 0).all()
        assert 0 <= scene.spike_samples.min() <= scene.spike_samples.max() < 30_000


def test_spikes_stand_at_the_extracellular_peak() -> None:
    quiet = SceneSettings(duration_s=10.0, units=(2, 2), noise_uv=(0.5, 0.6), distance_um=(10.0, 25.0))
    scene = plan_scene(BANK, quiet, 0, seed=2)
    made = traces(scene)
    for unit in range(2):
        spikes = scene.spike_samples[scene.unit_index == unit]
        spikes = spikes[(spikes > 40) & (spikes < len(made) - 40)]
        mean = np.abs(made[spikes[:, None] + np.arange(-20, 21)].mean(axis=0))
        assert abs(int(mean[:, mean.max(axis=0).argmax()].argmax()) - 20) <= 1


def test_cells_of_the_other_side_are_refused() -> None:
    with pytest.raises(DataError, match="cell_b"):
        plan_scene(BANK, SHORT, 0, seed=1, allowed_cells={"cell_a", "cell_c"})


@pytest.mark.parametrize("units", [(0, 3), (5, 2), (1, 1000)])
def test_bounds_out_of_order_are_refused(units: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="the smaller first"):
        SceneSettings.parse({"units": list(units)})


def test_the_narrowest_shell_has_scenes() -> None:
    narrow = SceneSettings(duration_s=1.0, units=(2, 2), distance_um=(15.0, 25.0), rate_hz=(20.0, 20.0))
    assert len(np.unique(plan_scene(BANK, narrow, 0, seed=5).unit_index)) == 2
