"""One event per spike, where several groups of channels of a dense probe report it."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Float32, Int64

from spikeline.sorting.simsort.evaluation.pairs_in_time import pairs_in_time

__all__ = ["largest_of_groups"]

_TOGETHER, _NEAR_UM = 5, 150.0


def largest_of_groups(
    samples: Int64[np.ndarray, " events"],
    locations_um: Float[np.ndarray, "events dimensions"],
    heights: Float32[np.ndarray, " events"],
    groups: Int64[np.ndarray, " events"],
) -> Bool[np.ndarray, " events"]:
    """Which events no other group reports higher, at the same time and near; of equal ones the first group's stays.

    Parameters
    ----------
    samples
        Rising, 10 kHz. The same time: within half a millisecond.
    locations_um
        Where each is largest. Near: within 150 um, as far as a large spike is taken for one (F1 on probes of training
        cells 0.90 with 100 um, 0.91 with 150 um).
    heights
        Largest value of the whitened traces.
    groups
        Which group of channels reports it. Events of one group are left alone: the network tells overlapping spikes
        apart.
    """
    rows, columns = pairs_in_time(samples, samples, _TOGETHER)
    near = np.linalg.norm(locations_um[rows] - locations_um[columns], axis=1) <= _NEAR_UM
    higher = (heights[rows] < heights[columns]) | (
        (heights[rows] == heights[columns]) & (groups[rows] > groups[columns])
    )
    smaller = near & (groups[rows] != groups[columns]) & higher
    kept = np.ones(len(samples), bool)
    kept[rows[smaller]] = False
    return kept
