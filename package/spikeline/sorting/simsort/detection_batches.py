"""Training batches of the detector: windows of prepared scenes, where spikes peak in them, and what is left open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32, Int64

from spikeline.artifacts import seed_stream
from spikeline.sorting.simsort.prepared_scene import PreparedScene, joined
from spikeline.sorting.simsort.prepared_scenes import PreparedScenes

if TYPE_CHECKING:
    import torch

__all__ = ["DetectionBatches", "spike_labels"]

_LABEL_REACH = 1
_SMALL_REACH = 5  # half a millisecond: the bulk of a spike
_FLANK = 2


def spike_labels(
    spike_samples: Int64[np.ndarray, " spikes"], n_samples: int, reach: int = _LABEL_REACH
) -> Float32[np.ndarray, " samples"]:
    """1 within ``reach`` samples of a spike's peak, 0 elsewhere; float32."""
    labels = np.zeros(n_samples, np.float32)
    for shift in range(-reach, reach + 1):
        at = spike_samples + shift
        labels[at[(at >= 0) & (at < n_samples)]] = 1
    return labels


class DetectionBatches:
    """Batches that are a pure function of their step.

    Parameters
    ----------
    scenes
        Where windows are cut.
    windows, samples
        Windows per batch, and their length.
    steps_per_scene
        Successive steps that cut from the same scene; a scene costs more than a step.
    scenes_per_batch
        Scenes a batch is cut from, so that one odd scene is not a whole step.
    least_template_norms
        Spikes of units that stand out less (`template_norms`) are neither spikes nor noise: they do not count. Counted
        as spikes, they make the network call every bump of the noise the spike that it might be. One number for each
        number of channels that are seen: a spike of one amplitude has a larger norm on more of them.
    """

    def __init__(
        self,
        scenes: PreparedScenes,
        *,
        windows: int = 48,
        samples: int = 512,
        steps_per_scene: int = 16,
        scenes_per_batch: int = 4,
        least_template_norms: Sequence[float] = (5.5, 6.5, 7.3, 8.0),
    ) -> None:
        self.scenes, self.windows, self.samples = scenes, windows, samples
        self.steps_per_scene, self.scenes_per_batch = steps_per_scene, scenes_per_batch
        self.least_template_norms = least_template_norms

    def batch(self, step: int) -> dict[str, np.ndarray | torch.Tensor]:
        """``traces`` [windows, 4, samples], ``labels`` and ``counted`` [windows, samples].

        A sample that is not counted belongs to a spike that is too small to be asked for. See
        `spikeline.training.Batches`.
        """
        # Each scene serves steps_per_scene steps, and at every step one scene of the batch is replaced.
        newest = (step * self.scenes_per_batch) // self.steps_per_scene
        draw = seed_stream(self.scenes.seed, f"{self.scenes.stage}-windows", str(step))
        traces, labels, counted = [], [], []
        for part in range(self.scenes_per_batch):
            scene = self.scenes(newest + part)
            marks, counts = self._marks(scene)
            starts = draw.integers(0, scene.n_samples - self.samples, self.windows // self.scenes_per_batch)
            inside = starts[:, None] + np.arange(self.samples)
            traces.append(scene.cut(starts, 0, self.samples))
            labels.append(marks[inside])
            counted.append(counts[inside])
        return {
            "traces": joined(traces),
            "labels": np.concatenate(labels),
            "counted": np.concatenate(counted),
        }

    def _marks(self, scene: PreparedScene) -> tuple[Float32[np.ndarray, " samples"], Float32[np.ndarray, " samples"]]:
        """Labels of a whole scene, and which samples count."""
        least = self.least_template_norms[scene.n_channels - 1]
        small = (scene.template_norms < least)[scene.unit_index]
        large, n_samples = scene.spike_samples[~small], scene.n_samples
        of_small = spike_labels(scene.spike_samples[small], n_samples, _SMALL_REACH)
        # The flanks of a large spike's label say as much as the label: without them nothing would make it end.
        of_large = spike_labels(large, n_samples, _LABEL_REACH + _FLANK)
        return spike_labels(large, n_samples), 1 - of_small * (1 - of_large)
