"""Spikes like those of cells and amplifiers that the bank does not have: other widths, other phases."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float32, Int64
from scipy import fft

__all__ = ["reshaped", "stretched"]


def reshaped(
    traces: Float[np.ndarray, "samples channels"], stretch: float, phase_rad: float
) -> Float32[np.ndarray, "_ channels"]:
    """Traces played faster or slower, all frequencies turned by one phase.

    A phase of 90 degrees makes of a trough a falling or rising edge, as high-pass filters of amplifiers do in part, and
    as spikes of other sources have; 180 degrees turn the sign. Noise stays noise of the same kind.

    Parameters
    ----------
    traces
        Any unit.
    stretch
        Above 1: spikes become wider; the result has ``round(stretch * samples)`` samples.
    phase_rad
        Added to every frequency.
    """
    n = len(traces)
    wanted = max(1, round(stretch * n))
    if wanted == n and phase_rad == 0:
        return np.asarray(traces, np.float32)
    # a length that transforms fast; what is beyond the ends is zero and cut away again
    length = fft.next_fast_len(n, real=True)
    spectrum = fft.rfft(np.asarray(traces, np.float32), length, axis=0)
    spectrum[1:] *= np.exp(1j * np.float32(phase_rad))
    longer = max(2, round(stretch * length))
    out = fft.irfft(spectrum[: longer // 2 + 1], longer, axis=0) * (longer / length)
    return np.ascontiguousarray(out[:wanted], np.float32)


def stretched(
    spike_samples: Int64[np.ndarray, " spikes"], stretch: float, n_samples: int
) -> Int64[np.ndarray, " spikes"]:
    """Where spikes are in traces played slower or faster, which have ``n_samples`` samples then."""
    return np.minimum(np.rint(spike_samples * stretch).astype(np.int64), n_samples - 1)
