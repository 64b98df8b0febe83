"""Training batches of the published identifier: triplets of snippets, filtered and augmented."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64

from spikeline.artifacts import seed_stream
from spikeline.errors import DataError
from spikeline.sorting.simsort.paper.augmentation import augmented_snippets, draw_largest_shift
from spikeline.sorting.simsort.paper.preprocessing import low_passed_snippets
from spikeline.sorting.simsort.paper.scenes import PaperScene, PaperScenes
from spikeline.sorting.simsort.paper.snippets import paper_snippets, whole_snippets

__all__ = ["PaperIdentificationBatches"]

_ROLES = ("anchor", "positive", "negative")


class PaperIdentificationBatches:
    """Batches that are a pure function of their step.

    An anchor is any spike of any unit of the batch's trials, its positive another spike of the same unit, its negative
    any spike of any other unit of any of these trials.

    Parameters
    ----------
    scenes
        Where snippets are cut, overlapping spikes included.
    triplets
        Per batch.
    scenes_per_batch, steps_per_scene
        Trials a batch takes its spikes from, and successive steps that take them from the same one.
    band_pass
        Cut from the band-passed trials.
    low_pass
        See `preprocessing.low_passed_snippets`.
    augmentation
        See `augmentation.augmented_snippets`; the largest shift is drawn once from the seed.

    Notes
    -----
    Source: SimSort, released training code of the identifier; there a spike of any trial may be the negative.
    """

    def __init__(
        self,
        scenes: PaperScenes,
        *,
        triplets: int = 256,
        scenes_per_batch: int = 16,
        steps_per_scene: int = 16,
        band_pass: bool = False,
        low_pass: bool = True,
        augmentation: bool = True,
    ) -> None:
        self.scenes, self.triplets = scenes, triplets
        self.scenes_per_batch, self.steps_per_scene = scenes_per_batch, steps_per_scene
        self.band_pass, self.low_pass, self.augmentation = band_pass, low_pass, augmentation
        self.largest_shift = draw_largest_shift(seed_stream(scenes.seed, "simsort-paper-largest-shift"))

    def batch(self, step: int) -> dict[str, np.ndarray]:
        """``anchor``, ``positive`` and ``negative``, each [triplets, 60, 4], uV."""
        newest = (step * self.scenes_per_batch) // self.steps_per_scene
        draw = seed_stream(self.scenes.seed, f"{self.scenes.stage}-triplets", str(step))
        units = [unit for part in range(self.scenes_per_batch) for unit in self._units(self.scenes(newest + part))]
        if len(units) < 2:
            raise DataError(
                f"{len(units)} units with two whole spikes in the trials of step {step} of {self.scenes.stage}",
                "at least two to tell apart",
                "raise simsort.paper.identifier.batches.scenes_per_batch or simsort.paper.identifier.scenes.units",
            )
        chosen = _draw_triplets([len(unit) for unit in units], self.triplets, draw)
        cut = {
            role: np.stack([units[unit][spike] for unit, spike in zip(*chosen[role], strict=True)]) for role in _ROLES
        }
        return {role: self._prepared(cut[role], draw) for role in _ROLES}

    def _units(self, scene: PaperScene) -> list[np.ndarray]:
        """Snippets (spikes, samples, channels) of the first spikes of each unit that has two whole ones at least."""
        traces = scene.band_passed if self.band_pass else scene.traces
        most = self.scenes.settings.spikes_per_unit
        trains = [train[:most] for train in scene.trains]
        trains = [train[whole_snippets(train, len(traces))] for train in trains]
        return [paper_snippets(traces, train) for train in trains if len(train) > 1]

    def _prepared(self, snippets: np.ndarray, draw: np.random.Generator) -> np.ndarray:
        if self.low_pass:
            snippets = low_passed_snippets(snippets, self.scenes.settings.sampling_rate_hz).astype(np.float32)
        if self.augmentation:
            snippets = augmented_snippets(snippets, self.largest_shift, draw)
        return np.ascontiguousarray(snippets)


def _draw_triplets(
    counts: list[int], triplets: int, draw: np.random.Generator
) -> dict[str, tuple[Int64[np.ndarray, " triplets"], Int64[np.ndarray, " triplets"]]]:
    """Unit and spike of each anchor, positive and negative; ``counts`` says how many spikes a unit has."""
    spikes = np.array(counts)
    anchors = draw.integers(spikes.sum(), size=triplets)
    ends = np.cumsum(spikes)
    unit = np.searchsorted(ends, anchors, side="right")
    spike = anchors - (ends - spikes)[unit]
    positive = (spike + draw.integers(1, spikes[unit])) % spikes[unit]  # any but the anchor itself
    other = (unit + draw.integers(1, len(spikes), triplets)) % len(spikes)
    negative = draw.integers(0, spikes[other])
    return {"anchor": (unit, spike), "positive": (unit, positive), "negative": (other, negative)}
