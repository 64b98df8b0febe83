"""Training batches of the published detector: standardised windows of trials, augmented, and where their spikes are."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int64

from spikeline.artifacts import seed_stream
from spikeline.errors import DataError
from spikeline.sorting.simsort.paper.augmentation import augmented_windows
from spikeline.sorting.simsort.paper.losses import positive_weight
from spikeline.sorting.simsort.paper.scenes import PaperScenes

__all__ = ["PaperDetectionBatches", "Standardisation", "measure_standardisation", "window_labels"]

_LABEL = (-1, 4)


def window_labels(spike_samples: Int64[np.ndarray, " spikes"], n_samples: int) -> Float32[np.ndarray, " samples"]:
    """1 from a sample before each spike's peak to three after it, 0 elsewhere.

    Notes
    -----
    Source: SimSort, released code that builds the detector's set: [peak - 1, peak + 4).
    """
    labels = np.zeros(n_samples, np.float32)
    for shift in range(*_LABEL):
        at = spike_samples + shift
        labels[at[(at >= 0) & (at < n_samples)]] = 1
    return labels


@dataclass(frozen=True)
class Standardisation:
    """What a training set is brought to one scale with.

    Parameters
    ----------
    mean_uv, sd_uv
        Of each channel.
    positive_weight
        How many times a spike's sample counts in the loss.
    """

    mean_uv: Float64[np.ndarray, " channels"]
    sd_uv: Float64[np.ndarray, " channels"]
    positive_weight: float

    def __call__(
        self, traces: Float32[np.ndarray, "*windows samples channels"]
    ) -> Float32[np.ndarray, "*windows samples channels"]:
        """z-scored traces, no unit."""
        return ((traces - self.mean_uv) / self.sd_uv).astype(np.float32)


def measure_standardisation(scenes: PaperScenes, count: int) -> Standardisation:
    """Channels' means and standard deviations, and the labels' imbalance, over the first ``count`` trials.

    One scale for all trials, as published: a trial whose cells are far stays small.

    Raises
    ------
    DataError
        If a channel does not vary, or no spike is there.
    """
    total = squares = 0.0
    n_samples = n_positive = 0
    for index in range(count):
        scene = scenes(index)
        traces = scene.band_passed.astype(np.float64)
        total, squares = total + traces.sum(axis=0), squares + np.square(traces).sum(axis=0)
        n_samples += len(traces)
        n_positive += int(window_labels(scene.spike_samples, len(traces)).sum())
    mean = total / n_samples
    sd = np.sqrt(np.maximum(squares / n_samples - np.square(mean), 0.0))
    if not (sd > 0).all():
        raise DataError(
            f"channel {int(np.flatnonzero(~(sd > 0))[0])} is constant over {count} trials",
            "cells near enough to be seen",
            "lower simsort.paper.detector.scenes.extent_um",
        )
    return Standardisation(mean, sd, positive_weight(n_positive, n_samples - n_positive))


class PaperDetectionBatches:
    """Batches that are a pure function of their step.

    Parameters
    ----------
    scenes
        Where windows are cut, at random places.
    windows, samples
        Windows per batch, and their length.
    scenes_per_batch, steps_per_scene
        Trials a batch is cut from, and successive steps that cut from the same one.
    measured_scenes
        How many trials the standardisation is measured over.
    augmentation
        See `augmentation.augmented_windows`.

    Notes
    -----
    Source: SimSort, released training code of the detector; there every window may come from any trial.
    """

    def __init__(
        self,
        scenes: PaperScenes,
        *,
        windows: int = 32,
        samples: int = 2000,
        scenes_per_batch: int = 8,
        steps_per_scene: int = 4,
        measured_scenes: int = 16,
        augmentation: bool = True,
    ) -> None:
        self.scenes, self.windows, self.samples = scenes, windows, samples
        self.scenes_per_batch, self.steps_per_scene = scenes_per_batch, steps_per_scene
        self.measured_scenes, self.augmentation = measured_scenes, augmentation
        self._measured: Standardisation | None = None
        self._lock = threading.Lock()

    @property
    def standardisation(self) -> Standardisation:
        """Measured when it is first needed."""
        with self._lock:
            if self._measured is None:
                self._measured = measure_standardisation(self.scenes, self.measured_scenes)
            return self._measured

    def batch(self, step: int) -> dict[str, np.ndarray]:
        """``windows`` [windows, samples, 4], ``labels`` [windows, samples] and the number ``positive_weight``."""
        standardise = self.standardisation
        newest = (step * self.scenes_per_batch) // self.steps_per_scene
        draw = seed_stream(self.scenes.seed, f"{self.scenes.stage}-windows", str(step))
        windows, labels = [], []
        for part in range(self.scenes_per_batch):
            scene = self.scenes(newest + part)
            marks = window_labels(scene.spike_samples, len(scene.traces))
            starts = draw.integers(0, len(marks) - self.samples + 1, self.windows // self.scenes_per_batch)
            inside = starts[:, None] + np.arange(self.samples)
            windows.append(standardise(scene.band_passed[inside]))
            labels.append(marks[inside])
        cut = np.concatenate(windows)
        if self.augmentation:
            cut = augmented_windows(cut, draw)
        return {
            "windows": np.ascontiguousarray(cut),
            "labels": np.concatenate(labels),
            "positive_weight": np.array(standardise.positive_weight, np.float32),
        }
