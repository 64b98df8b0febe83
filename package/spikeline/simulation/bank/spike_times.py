"""Spikes of a soma-voltage trace."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int64

__all__ = ["spike_peaks"]


def spike_peaks(
    soma_voltage_mv: Float[np.ndarray, " samples"], threshold_mv: float, window_samples: int
) -> Int64[np.ndarray, " spikes"]:
    """Samples of the spike peaks: each upward crossing of the threshold, moved to the maximum of the window after it.

    Parameters
    ----------
    soma_voltage_mv
        Voltage, mV.
    threshold_mv
        A spike is an upward crossing of this (SimSort: -20 mV).
    window_samples
        Samples after the crossing among which the maximum is looked for (SimSort: 1 ms).

    Returns
    -------
    numpy.ndarray
        Strictly increasing.
    """
    above = soma_voltage_mv >= threshold_mv
    crossings = np.flatnonzero(above[1:] & ~above[:-1]) + 1
    peaks = [start + int(np.argmax(soma_voltage_mv[start : start + window_samples + 1])) for start in crossings]
    return np.unique(np.array(peaks, dtype=np.int64))
