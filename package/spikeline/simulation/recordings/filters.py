"""Recursive filters along time, fast on few channels and on many."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np
import scipy.signal
from jaxtyping import Float, Float32, Real

from spikeline.errors import DataError

__all__ = ["band_pass", "filter_in_place"]

# Where the filter's memory has faded by this factor, a block may start afresh.
_FORGOTTEN = 1e-6
_BLOCK = 2**16


@numba.njit(cache=True, nogil=True, fastmath={"contract"})
def _filter_four(samples, first_channel, sections, backward):
    """Four channels side by side: four recursions in flight hide each other's latency."""
    n = samples.shape[0]
    columns = samples[:, first_channel : first_channel + 4]
    for s in range(sections.shape[0]):
        b0, b1, b2, a1, a2 = sections[s, 0], sections[s, 1], sections[s, 2], sections[s, 4], sections[s, 5]
        zero = sections.dtype.type(0)
        p0, p1, p2, p3, q0, q1, q2, q3 = zero, zero, zero, zero, zero, zero, zero, zero
        for i in range(n):
            t = n - 1 - i if backward else i
            x0, x1, x2, x3 = columns[t, 0], columns[t, 1], columns[t, 2], columns[t, 3]
            y0, y1, y2, y3 = b0 * x0 + p0, b0 * x1 + p1, b0 * x2 + p2, b0 * x3 + p3
            p0, p1, p2, p3 = (
                b1 * x0 - a1 * y0 + q0,
                b1 * x1 - a1 * y1 + q1,
                b1 * x2 - a1 * y2 + q2,
                b1 * x3 - a1 * y3 + q3,
            )
            q0, q1, q2, q3 = b2 * x0 - a2 * y0, b2 * x1 - a2 * y1, b2 * x2 - a2 * y2, b2 * x3 - a2 * y3
            columns[t, 0], columns[t, 1], columns[t, 2], columns[t, 3] = y0, y1, y2, y3


@numba.njit(cache=True, nogil=True, fastmath={"contract"})
def _filter_rows(samples, sections, backward):
    """All channels at a time, vectorised across them."""
    n, n_channels = samples.shape
    for s in range(sections.shape[0]):
        b0, b1, b2, a1, a2 = sections[s, 0], sections[s, 1], sections[s, 2], sections[s, 4], sections[s, 5]
        first = np.zeros(n_channels, sections.dtype)
        second = np.zeros(n_channels, sections.dtype)
        for i in range(n):
            row = samples[n - 1 - i if backward else i]
            for c in range(n_channels):
                x = row[c]
                y = b0 * x + first[c]
                first[c] = b1 * x - a1 * y + second[c]
                second[c] = b2 * x - a2 * y
                row[c] = y


def filter_in_place(
    samples: Float32[np.ndarray, "samples channels"], sections: Float[np.ndarray, "sections 6"], backward: bool = False
) -> None:
    """Filter along time with second-order sections, starting from rest.

    The sections' precision (float32 or float64) is that of the recursion; transposed direct form II.
    """
    if samples.shape[1] % 4 == 0 and samples.shape[1] <= 16:
        for channel in range(0, samples.shape[1], 4):
            _filter_four(samples, channel, sections, backward)
    else:
        _filter_rows(samples, sections, backward)


def band_pass(
    traces: Real[np.ndarray, "samples channels"],
    sampling_rate_hz: float,
    band_hz: tuple[float, float] = (300.0, 6000.0),
    order: int = 3,
    threads: int = 2,
) -> Float32[np.ndarray, "samples channels"]:
    """Zero-phase Butterworth band-pass (forward, then backward).

    Blocks are filtered independently with a margin in which the filter forgets its start, to a relative 1e-6, so the
    result does not depend on the blocks. The ends start from rest (the signal is taken as zero beyond them).

    Parameters
    ----------
    traces
        Converted to float32.
    sampling_rate_hz
        Sampling rate, Hz.
    band_hz
        Lower and upper cut-off, Hz.
    order
        Order of the Butterworth design, as in `scipy.signal.butter`.
    threads
        Blocks filtered at a time.

    Returns
    -------
    numpy.ndarray
        The band's part of the traces.

    Raises
    ------
    DataError
        If the band does not lie inside (0, Nyquist).
    """
    low, high = band_hz
    if not 0 < low < high < sampling_rate_hz / 2:
        raise DataError(
            f"a band of {low:g}-{high:g} Hz at {sampling_rate_hz:g} Hz",
            "0 < low < high < half the sampling rate",
            "choose another band",
        )
    sections = scipy.signal.butter(order, band_hz, "bandpass", fs=sampling_rate_hz, output="sos")
    slowest = max(abs(np.roots(section[3:])).max() for section in sections)
    margin = int(np.ceil(np.log(_FORGOTTEN) / np.log(slowest)))
    sections = sections.astype(np.float32 if slowest < 0.98 else np.float64)
    n_samples = len(traces)
    out = np.empty(traces.shape, np.float32)
    size = max(_BLOCK, 8 * margin)

    def one(start: int) -> None:
        stop = min(start + size, n_samples)
        low, high = max(start - margin, 0), min(stop + margin, n_samples)
        # backwards, the filter needs what the forward pass rings after the signal's end
        piece = np.zeros((high - low + (margin if high == n_samples else 0), traces.shape[1]), np.float32)
        piece[: high - low] = traces[low:high]
        filter_in_place(piece, sections)
        filter_in_place(piece, sections, backward=True)
        out[start:stop] = piece[start - low : stop - low]

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(one, range(0, n_samples, size)))
    return out
