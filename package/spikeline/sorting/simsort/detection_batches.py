"""Training batches of the detector: windows of prepared scenes and where spikes peak in them."""

from __future__ import annotations

import numpy as np

from spikeline.artifacts import seed_stream
from spikeline.sorting.simsort.prepared_scenes import PreparedScenes

__all__ = ["DetectionBatches", "spike_labels"]


def spike_labels(spike_samples: np.ndarray, n_samples: int, reach: int = 1) -> np.ndarray:
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
    """

    def __init__(
        self,
        scenes: PreparedScenes,
        *,
        windows: int = 48,
        samples: int = 512,
        steps_per_scene: int = 16,
        scenes_per_batch: int = 4,
    ) -> None:
        self.scenes, self.windows, self.samples = scenes, windows, samples
        self.steps_per_scene, self.scenes_per_batch = steps_per_scene, scenes_per_batch

    def batch(self, step: int) -> dict[str, np.ndarray]:
        """``traces`` [windows, 4, samples] and ``labels`` [windows, samples]; see `spikeline.training.Batches`."""
        # Each scene serves steps_per_scene steps, and at every step one scene of the batch is replaced.
        newest = (step * self.scenes_per_batch) // self.steps_per_scene
        draw = seed_stream(self.scenes.seed, f"{self.scenes.stage}-windows", str(step))
        traces, labels = [], []
        for part in range(self.scenes_per_batch):
            scene = self.scenes(newest + part)
            marks = spike_labels(scene.spike_samples, len(scene.traces))
            starts = draw.integers(0, len(scene.traces) - self.samples, self.windows // self.scenes_per_batch)
            inside = starts[:, None] + np.arange(self.samples)
            traces.append(scene.traces[inside].transpose(0, 2, 1))
            labels.append(marks[inside])
        return {"traces": np.ascontiguousarray(np.concatenate(traces)), "labels": np.concatenate(labels)}
