"""Trials dealt into parts, so that every part has all directions alike."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int64

from spikeline.errors import DataError

__all__ = ["sector_of", "stratified_folds"]


def sector_of(direction_deg: Float[np.ndarray, " N"], sectors: int) -> Int64[np.ndarray, " N"]:
    """Which of so many equal sectors a direction lies in; the first is centred on 0 degrees."""
    return np.floor(np.asarray(direction_deg) / (360.0 / sectors) + 0.5).astype(np.int64) % sectors


def stratified_folds(
    groups: Int64[np.ndarray, " N"], n_folds: int, draw: np.random.Generator
) -> Int64[np.ndarray, " N"]:
    """Fold of each trial: within a group, sizes of folds differ by one at most, and over all groups too.

    Parameters
    ----------
    groups
        What is to be dealt out alike, e.g. the sector of each trial's direction.
    n_folds
        How many folds.
    draw
        Which trial goes where.

    Raises
    ------
    DataError
        If there are fewer trials than folds.
    """
    if len(groups) < n_folds:
        raise DataError(
            f"{len(groups)} trials for {n_folds} folds",
            "at least one trial per fold",
            "use more trials, or fewer folds",
        )
    folds = np.empty(len(groups), np.int64)
    dealt = 0
    for group in np.unique(groups):
        own = draw.permutation(np.flatnonzero(groups == group))
        folds[own] = (dealt + np.arange(len(own))) % n_folds
        dealt += len(own)  # the next group goes on where this one stopped
    return folds
