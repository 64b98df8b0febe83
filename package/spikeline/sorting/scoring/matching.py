"""Which true spikes were found: counts of coincident spikes between every true and every found unit.

Both counts take spikes in time order. They agree unless spikes of one unit follow each other within twice the
tolerance.
"""

from __future__ import annotations

import numba
import numpy as np
from jaxtyping import Bool, Int, Int64

__all__ = ["count_matches", "matched_spikes", "tolerance_in_samples"]


def tolerance_in_samples(tolerance_ms: float, sampling_rate_hz: float) -> int:
    """The largest whole number of samples that is not longer than the tolerance, computed as SpikeInterface does."""
    return int(tolerance_ms / 1000 * sampling_rate_hz)


@numba.njit(cache=True, nogil=True)
def _mark_one_to_one(true: np.ndarray, found: np.ndarray, tolerance: int, marks: np.ndarray) -> int:
    """Mark each true spike that gets a found spike of its own. Earliest with earliest: no matching has more pairs."""
    count, i, j = 0, 0, 0
    while i < len(true) and j < len(found):
        difference = found[j] - true[i]
        if difference < -tolerance:
            j += 1
        elif difference > tolerance:
            i += 1
        else:
            marks[i] = True
            count += 1
            i += 1
            j += 1
    return count


@numba.njit(cache=True, nogil=True)
def _mark_spikeinterface(true: np.ndarray, found: np.ndarray, tolerance: int, marks: np.ndarray) -> int:
    """Mark each true spike with a found spike nearby other than the one the true spike before it took.

    A found spike may so be used again two true spikes later; SpikeInterface bounds the count by the number of found
    spikes.
    """
    count, start, taken = 0, 0, -1
    for i in range(len(true)):
        while start < len(found) and found[start] < true[i] - tolerance:
            start += 1
        for j in range(start, len(found)):
            if found[j] > true[i] + tolerance:
                break
            if j != taken:
                taken = j
                marks[i] = True
                count += 1
                break
    return min(count, len(found))


def _trains(samples: np.ndarray, index: np.ndarray, n_units: int) -> list[np.ndarray]:
    order = np.lexsort((samples, index))
    edges = np.searchsorted(index[order], np.arange(n_units + 1))
    ordered = np.ascontiguousarray(samples[order], dtype=np.int64)
    return [ordered[edges[unit] : edges[unit + 1]] for unit in range(n_units)]


def count_matches(
    true_samples: Int[np.ndarray, " true_spikes"],
    true_index: Int[np.ndarray, " true_spikes"],
    n_true: int,
    found_samples: Int[np.ndarray, " found_spikes"],
    found_index: Int[np.ndarray, " found_spikes"],
    n_found: int,
    tolerance: int,
    *,
    one_to_one: bool,
) -> Int64[np.ndarray, "{n_true} {n_found}"]:
    """Number of coincident spikes of every pair of units.

    Parameters
    ----------
    true_samples, true_index, n_true
        Sample numbers, units in [0, n_true), and the number of true units.
    found_samples, found_index, n_found
        The same for the units a sorter found.
    tolerance
        Largest distance of coincident spikes, in samples, inclusive.
    one_to_one
        True: a spike takes part in one pair at most (SimSort's rule). False: as SpikeInterface counts.
    """
    kernel = _mark_one_to_one if one_to_one else _mark_spikeinterface
    true, found = _trains(true_samples, true_index, n_true), _trains(found_samples, found_index, n_found)
    counts = np.zeros((n_true, n_found), dtype=np.int64)
    for i, true_train in enumerate(true):
        marks = np.zeros(len(true_train), dtype=np.bool_)
        for j, found_train in enumerate(found):
            counts[i, j] = kernel(true_train, found_train, tolerance, marks)
    return counts


def matched_spikes(
    true_train: Int[np.ndarray, " true_spikes"],
    found_train: Int[np.ndarray, " found_spikes"],
    tolerance: int,
    *,
    one_to_one: bool,
) -> Bool[np.ndarray, " true_spikes"]:
    """Which spikes of a true unit a found unit has, for sorted sample numbers."""
    marks = np.zeros(len(true_train), dtype=np.bool_)
    kernel = _mark_one_to_one if one_to_one else _mark_spikeinterface
    kernel(np.asarray(true_train, dtype=np.int64), np.asarray(found_train, dtype=np.int64), tolerance, marks)
    return marks
