"""Windows of trials on one scale, and marks of five samples."""

from __future__ import annotations

import numpy as np
import pytest

from spikeline.config.simsort.paper import PaperSceneSettings
from spikeline.errors import DataError
from spikeline.sorting.simsort.paper.detection_batches import (
    PaperDetectionBatches,
    measure_standardisation,
    window_labels,
)
from spikeline.sorting.simsort.paper.preprocessing import z_scored
from spikeline.sorting.simsort.paper.scenes import PaperScenes
from tests.simulation.recordings_fixtures import make_entry

SETTINGS = PaperSceneSettings(duration_s=2.0, units=2, extent_um=15.0)
OPTIONS = {"windows": 6, "samples": 400, "scenes_per_batch": 3, "steps_per_scene": 2, "measured_scenes": 4}


@pytest.fixture
def scenes() -> PaperScenes:
    return PaperScenes(
        [make_entry(c, rate_hz=20.0) for c in ("cell_a", "cell_b", "cell_c")], SETTINGS, 1, stage="t", keep=16
    )


def test_a_mark_begins_before_the_peak_and_ends_after_three_samples() -> None:
    labels = window_labels(np.array([0, 10, 12, 29]), 30)
    expected = {0, 1, 2, 3, *range(9, 16), 28, 29}
    assert set(np.flatnonzero(labels).tolist()) == expected and labels.dtype == np.float32


def test_standardisation_is_that_of_all_trials_joined(scenes: PaperScenes) -> None:
    found = measure_standardisation(scenes, 4)
    joined = np.concatenate([scenes(index).band_passed for index in range(4)]).astype(np.float64)
    labels = np.concatenate([window_labels(scenes(index).spike_samples, 20_000) for index in range(4)])
    np.testing.assert_allclose(found(joined.astype(np.float32)), z_scored(joined), atol=1e-4)
    assert found.positive_weight == pytest.approx((labels == 0).sum() / labels.sum())


def test_windows_are_cut_from_trials_with_their_marks(scenes: PaperScenes) -> None:
    batches = PaperDetectionBatches(scenes, **OPTIONS, augmentation=False)
    batch = batches.batch(3)
    assert batch["windows"].shape == (6, 400, 4) and batch["windows"].dtype == np.float32
    assert batch["labels"].shape == (6, 400) and batch["labels"].sum() > 0
    newest = 3 * 3 // 2
    for window, labels, number in zip(
        batch["windows"], batch["labels"], np.repeat(newest + np.arange(3), 2), strict=True
    ):
        whole = batches.standardisation(scenes(int(number)).band_passed)
        start = next(
            s
            for s in range(len(whole) - 399)
            if np.array_equal(whole[s], window[0]) and np.array_equal(whole[s : s + 400], window)
        )
        np.testing.assert_array_equal(
            labels, window_labels(scenes(int(number)).spike_samples, 20_000)[start : start + 400]
        )
    assert float(batch["positive_weight"]) == pytest.approx(batches.standardisation.positive_weight)


def test_a_batch_depends_on_its_step_alone(scenes: PaperScenes) -> None:
    one, other = PaperDetectionBatches(scenes, **OPTIONS), PaperDetectionBatches(scenes, **OPTIONS)
    other.batch(9)
    for name, part in one.batch(5).items():
        np.testing.assert_array_equal(part, other.batch(5)[name])
    plain = PaperDetectionBatches(scenes, **OPTIONS, augmentation=False).batch(5)
    assert not np.array_equal(one.batch(5)["windows"], plain["windows"])
    np.testing.assert_array_equal(one.batch(5)["labels"], plain["labels"])


def test_trials_without_spikes_are_refused() -> None:
    silent = PaperScenes([make_entry("cell_a", rate_hz=0.1)], SETTINGS, 1, stage="t")
    with pytest.raises(DataError, match="0 samples labelled"):
        PaperDetectionBatches(silent, **OPTIONS).batch(0)
