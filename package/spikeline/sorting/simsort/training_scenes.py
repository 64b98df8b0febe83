"""Scenes for a training, which must not end because one of them cannot be."""

from __future__ import annotations

from spikeline.errors import DataError
from spikeline.sorting.simsort.prepared_scene import PreparedScene
from spikeline.sorting.simsort.prepared_scenes import PreparedScenes

__all__ = ["TrainingScenes"]

_ATTEMPTS = 20
_APART = 1 << 40  # far beyond the number of any scene that is asked for


class TrainingScenes(PreparedScenes):
    """Scenes that are drawn again where cells do not fit.

    With many units around a tetrode the near places are taken, and a weak cell is too small to be heard from those that
    are left. What a scene is drawn from then is a number far away, so it stays a pure function of its own.
    """

    def _make(self, index: int) -> PreparedScene:
        for attempt in range(_ATTEMPTS):
            try:
                return super()._make(index + attempt * _APART)
            except DataError as error:
                last = error
        raise DataError(
            f"scene {index} of {self.stage} cannot be made, nor {_ATTEMPTS - 1} others in its place: {last.seen}",
            last.expected,
            f"ask for fewer units or nearer ones (simsort.*.scenes), or for more cells: {last.remedy}",
        )
