"""Scenes made by torch: those made by numpy to rounding, and so are the batches cut from them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from spikeline.errors import DataError
from spikeline.sorting.simsort.detection_batches import DetectionBatches
from spikeline.sorting.simsort.identification_batches import IdentificationBatches
from spikeline.sorting.simsort.prepared_scene_torch import TensorScene
from spikeline.sorting.simsort.prepared_scenes import PreparedScenes
from spikeline.sorting.simsort.snippets import cut_snippets
from tests.sorting.simsort.small_scenes import scenes

# Of noise of standard deviation 0.7, and spikes of 10 and more. A sample at just 4 standard deviations may count as a
# spike for the one and not for the other, and then moves the whitening by this; usually they differ by 2e-5.
TOLERANCE = 2e-3


@pytest.fixture(scope="module")
def pair() -> tuple[PreparedScenes, PreparedScenes]:
    return scenes(keep=8), scenes(keep=8, device="cpu")


def test_scenes_are_equal_to_rounding(pair: tuple[PreparedScenes, PreparedScenes]) -> None:
    differences = []
    for index in range(8):
        by_numpy, by_torch = (source(index) for source in pair)
        assert isinstance(by_torch, TensorScene) and by_torch.n_samples == by_numpy.n_samples
        np.testing.assert_array_equal(by_torch.spike_samples, by_numpy.spike_samples)
        np.testing.assert_array_equal(by_torch.unit_index, by_numpy.unit_index)
        differences.append(np.abs(by_torch.traces.numpy() - by_numpy.traces).max())
        np.testing.assert_allclose(by_torch.template_norms, by_numpy.template_norms, atol=10 * TOLERANCE)
    assert max(differences) < TOLERANCE and np.median(differences) < TOLERANCE / 10


def test_the_number_of_channels_can_be_set(pair: tuple[PreparedScenes, PreparedScenes]) -> None:
    for channels in (1, 4):
        by_numpy, by_torch = (source.seen_on(channels)(0).traces for source in pair)
        assert ((by_torch != 0).any(dim=0).sum()) == channels
        np.testing.assert_allclose(by_torch.numpy(), by_numpy, atol=TOLERANCE)


def test_windows_beyond_the_ends_are_zero_there() -> None:
    traces = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
    scene = TensorScene(torch.from_numpy(traces), np.zeros(0, np.int64), np.zeros(0, np.int64))
    peaks = np.array([0, 3, 25, 49])
    np.testing.assert_array_equal(scene.cut(peaks, 5, 7).numpy(), cut_snippets(traces, peaks, 5, 7))


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (DetectionBatches, {"windows": 8, "samples": 200, "scenes_per_batch": 2, "steps_per_scene": 2}),
        (IdentificationBatches, {"scenes_per_batch": 2, "spikes_per_unit": 8, "steps_per_scene": 2}),
    ],
)
def test_batches_are_equal_to_rounding(
    kind: Any, options: dict[str, int], pair: tuple[PreparedScenes, PreparedScenes]
) -> None:
    for step in range(3):
        by_numpy, by_torch = (kind(source, **options).batch(step) for source in pair)
        cut = "traces" if kind is DetectionBatches else "snippets"
        assert isinstance(by_torch[cut], torch.Tensor) and by_torch[cut].is_contiguous()
        np.testing.assert_allclose(by_torch[cut].numpy(), by_numpy[cut], atol=TOLERANCE)
        for name in by_numpy.keys() - {cut}:
            np.testing.assert_array_equal(by_torch[name], by_numpy[name])


def test_cells_of_the_other_side_are_refused() -> None:
    with pytest.raises(DataError, match="cell_b"):
        scenes(allowed_cells={"cell_a"}, device="cpu")(0)
