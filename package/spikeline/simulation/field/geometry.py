"""The geometry of a discretised cell: straight segments with a diameter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from spikeline.errors import DataError

__all__ = ["SegmentGeometry"]


@dataclass(frozen=True)
class SegmentGeometry:
    """Segments of one cell, the soma's centre at the origin.

    Parameters
    ----------
    start_um, end_um
        End points of each segment, in um.
    diameter_um
        Diameters, in um.
    is_soma
        True where a segment belongs to the soma.
    """

    start_um: Float[np.ndarray, "segments 3"]
    end_um: Float[np.ndarray, "segments 3"]
    diameter_um: Float[np.ndarray, " segments"]
    is_soma: Bool[np.ndarray, " segments"]

    def __post_init__(self) -> None:
        count = len(self.diameter_um)
        shapes = self.start_um.shape, self.end_um.shape, self.is_soma.shape
        if shapes != ((count, 3), (count, 3), (count,)):
            raise DataError(
                f"segment arrays of shapes {shapes} for {count} diameters", "(n, 3), (n, 3), (n,)", "rebuild the cell"
            )
        if not (np.isfinite(self.start_um).all() and np.isfinite(self.end_um).all() and (self.diameter_um > 0).all()):
            raise DataError(
                "a segment has no finite position or no diameter",
                "a finished morphology",
                "check the cell's morphology file",
            )

    @property
    def n_segments(self) -> int:
        """Number of segments."""
        return len(self.diameter_um)

    def moved(
        self, rotation: Float[np.ndarray, "3 3"] | None = None, position_um: Float[np.ndarray, " 3"] | None = None
    ) -> SegmentGeometry:
        """The same cell rotated about its soma by ``rotation`` and then put at ``position_um``."""
        start, end = self.start_um, self.end_um
        if rotation is not None:
            start, end = start @ np.asarray(rotation).T, end @ np.asarray(rotation).T
        if position_um is not None:
            start, end = start + position_um, end + position_um
        return SegmentGeometry(start, end, self.diameter_um, self.is_soma)
