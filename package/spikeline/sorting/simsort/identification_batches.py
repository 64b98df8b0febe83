"""Training batches of the identifier: spikes of all units of some scenes."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Self

import numpy as np

from spikeline.artifacts import seed_stream
from spikeline.errors import DataError
from spikeline.sorting.simsort.prepared_scene import joined
from spikeline.sorting.simsort.prepared_scenes import PreparedScenes
from spikeline.sorting.simsort.snippets import SNIPPET_AFTER, SNIPPET_BEFORE

if TYPE_CHECKING:
    import torch

__all__ = ["IdentificationBatches"]

_FEWEST = 4


class IdentificationBatches:
    """Batches that are a pure function of their step.

    Parameters
    ----------
    scenes
        Where spikes are cut.
    scenes_per_batch, spikes_per_unit
        Size of a batch; a unit that fired less often gives what it has, one with fewer than 4 spikes nothing.
    steps_per_scene
        Successive steps that cut from the same scene; a scene costs more than a step.
    jitter
        Shares of snippets cut one sample before, at, and one after the true peak, about as the detector finds them.
    """

    def __init__(
        self,
        scenes: PreparedScenes,
        *,
        scenes_per_batch: int = 8,
        spikes_per_unit: int = 32,
        steps_per_scene: int = 32,
        jitter: tuple[float, float, float] = (0.2, 0.6, 0.2),
    ) -> None:
        self.scenes, self.scenes_per_batch, self.spikes_per_unit = scenes, scenes_per_batch, spikes_per_unit
        self.steps_per_scene, self.jitter = steps_per_scene, jitter

    def seen_on(self, channels: int) -> Self:
        """The same batches of the same scenes, seen on so many channels."""
        others = copy.copy(self)
        others.scenes = self.scenes.seen_on(channels)
        return others

    def batch(self, step: int) -> dict[str, np.ndarray | torch.Tensor]:
        """``snippets`` [spikes, 4, 32], ``unit`` and ``scene`` [spikes]; units are numbered through all scenes.

        Raises
        ------
        DataError
            If no unit of any scene fired 4 times.
        """
        newest = (step * self.scenes_per_batch) // self.steps_per_scene
        draw = seed_stream(self.scenes.seed, f"{self.scenes.stage}-spikes", str(step))
        snippets, units, scenes = [], [], []
        n_units, most = 0, 0
        for part in range(self.scenes_per_batch):
            scene = self.scenes(newest + part)
            inside = (scene.spike_samples >= SNIPPET_BEFORE + 2) & (
                scene.spike_samples < scene.n_samples - SNIPPET_AFTER - 2
            )
            for unit in range(scene.unit_index.max(initial=-1) + 1):
                own = scene.spike_samples[(scene.unit_index == unit) & inside]
                most = max(most, len(own))
                if len(own) < _FEWEST:
                    continue
                own = draw.permutation(own)[: self.spikes_per_unit]
                own = own + draw.choice([-1, 0, 1], len(own), p=self.jitter)
                snippets.append(scene.cut(own, SNIPPET_BEFORE, SNIPPET_AFTER))
                units.append(np.full(len(own), n_units))
                scenes.append(np.full(len(own), part))
                n_units += 1
        if not n_units:
            raise DataError(
                f"step {step} of {self.scenes.stage}: no unit of its {self.scenes_per_batch} scenes fires more often "
                f"than {most} times",
                f"a unit with {_FEWEST} spikes at least, away from the ends of its scene",
                "raise rate_hz, duration_s or units of simsort.identifier.scenes, or "
                "simsort.identifier.batches.scenes_per_batch",
            )
        return {
            "snippets": joined(snippets),
            "unit": np.concatenate(units),
            "scene": np.concatenate(scenes),
        }
