"""Many short windows of an entry at once."""

from __future__ import annotations

import numba
import numpy as np

__all__ = ["take_windows"]


@numba.njit(cache=True, nogil=True)
def take_windows(coefficients, scale, starts, out):
    """Fill out (n, rank, length) float32 with the scaled coefficients (rank, samples) from each start on."""
    for i in range(out.shape[0]):
        for k in range(out.shape[1]):
            row, target = coefficients[k, starts[i] : starts[i] + out.shape[2]], out[i, k]
            for t in range(len(target)):
                target[t] = np.float32(row[t]) * scale[k]
