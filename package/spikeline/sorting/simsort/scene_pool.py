"""Training scenes of which there are only so many: what a network learns from little simulated data."""

from __future__ import annotations

from typing import Any

from spikeline.sorting.simsort.prepared_scene import PreparedScene
from spikeline.sorting.simsort.training_scenes import TrainingScenes

__all__ = ["ScenePool"]

_MOST_KEPT = 64  # a scene of 10 s takes 1.6 MB


class ScenePool(TrainingScenes):
    """The first scenes of a stream over and over.

    They are those that a training without this limit sees first, so pools of two sizes differ in their size alone.

    Parameters
    ----------
    n_scenes
        How many there are; scene ``index`` is scene ``index % n_scenes`` of `TrainingScenes`.
    keep
        As many, or all if they are few, are kept in memory.
    """

    def __init__(self, *arguments: Any, n_scenes: int, keep: int = 4, **options: Any) -> None:
        super().__init__(*arguments, keep=max(keep, min(n_scenes, _MOST_KEPT)), **options)
        self.n_scenes = n_scenes

    def __call__(self, index: int) -> PreparedScene:
        """Scene number ``index``."""
        return super().__call__(index % self.n_scenes)
