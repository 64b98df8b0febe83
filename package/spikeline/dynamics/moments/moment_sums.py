"""Moments as sums and what they are to be divided by, so that shards of trajectories add up to the whole."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spikeline.errors import DataError

__all__ = ["MomentSum"]


@dataclass(frozen=True)
class MomentSum:
    """A moment of some of the trajectories.

    Parameters
    ----------
    total
        Sum over samples, pairs or triples of windows.
    count
        How many there are.
    """

    total: np.ndarray
    count: float

    def __add__(self, other: MomentSum) -> MomentSum:
        return MomentSum(self.total + other.total, self.count + other.count)

    @property
    def value(self) -> np.ndarray:
        """The moment.

        Raises
        ------
        DataError
            If nothing was counted: all trajectories were too short, or had too many gaps.
        """
        if not self.count > 0:
            raise DataError(
                "no trajectory is long enough for a moment, or complete enough",
                "trajectories of at least three windows of the lags (ustat), or of one (stein)",
                "take fewer lags, or longer trajectories",
            )
        return self.total / self.count
