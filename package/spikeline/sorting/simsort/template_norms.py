"""How far units stand out of whitened noise."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Float64, Int64

from spikeline.sorting.simsort.snippets import cut_snippets

__all__ = ["template_norms"]

_BEFORE, _AFTER = 20, 30
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
    norms = np.zeros(int(unit_index.max(initial=-1)) + 1)
    for unit in range(len(norms)):
        peaks = spike_samples[unit_index == unit]
        if len(peaks) < _FEWEST:
            continue
        snippets = cut_snippets(traces, peaks, _BEFORE, _AFTER).astype(np.float64)
        scatter = snippets.var(axis=0, ddof=1).sum() / len(peaks)
        norms[unit] = np.sqrt(max(0.0, (snippets.mean(axis=0) ** 2).sum() - scatter))
    return norms
