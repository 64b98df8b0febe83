"""How far units stand out of whitened noise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float32, Float64, Int64

from spikeline.sorting.simsort.snippets import cut_snippets

__all__ = ["TEMPLATE_WINDOW", "norms_of_means", "template_norms"]

TEMPLATE_WINDOW = 20, 30
"""Samples before and from the peak."""
_FEWEST = 3


def template_norms(
    traces: Float32[np.ndarray, "samples channels"],
    spike_samples: Int64[np.ndarray, " spikes"],
    unit_index: Int64[np.ndarray, " spikes"],
) -> Float64[np.ndarray, " units"]:
    """Norm of each unit's mean spike in 5 ms, without the share that noise has in a mean of few spikes.

    After whitening the inner product of noise with a template has the template's norm for its standard deviation, so
    the norm is the signal-to-noise ratio of the best detector there is.

    Parameters
    ----------
    traces
        Whitened (`spikeline.sorting.simsort.whitening`), 10 kHz.
    spike_samples
        Peaks.
    unit_index
        Which unit fired, from 0 on.

    Returns
    -------
    np.ndarray
        0 for a unit with fewer than 3 spikes, which say too little, and for one smaller than its mean's noise.
    """

    def energy_and_scatter(peaks: np.ndarray) -> tuple[float, float]:
        snippets = cut_snippets(traces, peaks, *TEMPLATE_WINDOW).astype(np.float64)
        return (snippets.mean(axis=0) ** 2).sum(), snippets.var(axis=0, ddof=1).sum()

    return norms_of_means(energy_and_scatter, spike_samples, unit_index)


def norms_of_means(
    energy_and_scatter: Callable[[np.ndarray], tuple[float, float]],
    spike_samples: Int64[np.ndarray, " spikes"],
    unit_index: Int64[np.ndarray, " spikes"],
) -> Float64[np.ndarray, " units"]:
    """`template_norms` of traces that only ``energy_and_scatter`` knows.

    It is given the peaks of a unit, and gives the sum of squares of the mean spike and the sum of all samples'
    variances.
    """
    norms = np.zeros(int(unit_index.max(initial=-1)) + 1)
    for unit in range(len(norms)):
        peaks = spike_samples[unit_index == unit]
        if len(peaks) >= _FEWEST:
            energy, scatter = energy_and_scatter(peaks)
            norms[unit] = np.sqrt(max(0.0, energy - scatter / len(peaks)))
    return norms
