"""One sample per spike, from what a detector says of each sample or, the published baseline, from a threshold."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int64
from scipy.ndimage import maximum_filter1d

from spikeline.errors import DataError

__all__ = ["peaks_of_runs", "threshold_peaks"]

_LOCAL = 5
_ISOLATED = 10
_MERGED = 15


def peaks_of_runs(
    positive: Bool[np.ndarray, " samples"], traces: Float[np.ndarray, "samples channels"]
) -> Int64[np.ndarray, " runs"]:
    """One peak per run of consecutive positive samples, in time order.

    It is the run's sample with the largest |x| (the first of equals) on one channel, the same for all runs: that with
    the largest sum of |x| over the traces.

    Parameters
    ----------
    positive
        Where the detector's probability lies above the threshold: 0.97 in the published tool, 0.96 in the released
        configuration.
    traces
        What the detector saw, as far as it saw it.

    Raises
    ------
    DataError
        If the two have different lengths.

    Notes
    -----
    Source: SimSort, released inference code. A unit whose spikes are small on that channel is timed by its noise.
    """
    if len(positive) != len(traces):
        raise DataError(
            f"labels of {len(positive)} samples and traces of {len(traces)}",
            "the same number",
            "cut the traces to what the detector covered",
        )
    inside = np.flatnonzero(positive)
    if not len(inside):
        return inside
    magnitude = np.abs(traces)
    magnitude = magnitude[inside, magnitude.sum(axis=0).argmax()]
    first_of_run = np.concatenate(([True], np.diff(inside) > 1))
    run = np.cumsum(first_of_run) - 1
    largest = np.maximum.reduceat(magnitude, np.flatnonzero(first_of_run))
    at_largest = np.flatnonzero(magnitude == largest[run])
    _, earliest = np.unique(run[at_largest], return_index=True)
    return inside[at_largest[earliest]]


def _channel_peaks(magnitude: np.ndarray, threshold: float) -> np.ndarray:
    """Peaks of one channel: above the threshold, largest within 5 samples, no larger such peak within 10."""
    surrounding = maximum_filter1d(magnitude, 2 * _LOCAL + 1, mode="constant", cval=0)
    peaks = np.where((magnitude > threshold) & (magnitude == surrounding), magnitude, 0)
    surrounding = maximum_filter1d(peaks, 2 * _ISOLATED + 1, mode="constant", cval=0)
    at = np.flatnonzero((peaks > 0) & (peaks == surrounding))
    # Those that are still so close have the same height: the first stays.
    return at[np.diff(at, prepend=-_ISOLATED - 1) > _ISOLATED]


def threshold_peaks(
    traces: Float[np.ndarray, "samples channels"], *, threshold: float = 6.0
) -> Int64[np.ndarray, " spikes"]:
    """The baseline detector of the published comparison: |x| above a threshold, in time order.

    On each channel: samples above the threshold that are the largest within 5 samples on either side; of two of these
    within 10 samples of each other the larger stays. Over channels: events within 15 samples of the first of them are
    one spike, at the sample with the largest |x|.

    Parameters
    ----------
    traces
        Whitened.
    threshold
        6 as published.

    Raises
    ------
    DataError
        If the threshold is not positive.

    Notes
    -----
    Source: SimSort, released inference code, for the numbers. That of two close peaks the larger stays, and that events
    are merged from the first on, is how they are read here.
    """
    if not threshold > 0:
        raise DataError(f"a threshold of {threshold}", "above 0", "give it in units of the whitened traces' deviation")
    magnitude = np.abs(traces)
    found = [_channel_peaks(channel, threshold) for channel in magnitude.T]
    at = np.concatenate(found)
    height = np.concatenate([magnitude[peaks, channel] for channel, peaks in enumerate(found)])
    order = np.lexsort((-height, at))
    spikes: list[int] = []
    start, best = -_MERGED - 1, 0.0
    for sample, value in zip(at[order].tolist(), height[order].tolist(), strict=True):
        if sample - start > _MERGED:
            spikes.append(sample)
            start, best = sample, value
        elif value > best:
            spikes[-1], best = sample, value
    return np.array(spikes, dtype=np.int64)
