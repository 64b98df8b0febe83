"""Weighted sums of rows, compiled so that they run in whole vectors."""

from __future__ import annotations

import numba

__all__ = ["add_four", "add_scaled"]


@numba.njit(cache=True, nogil=True, fastmath={"contract"})
def add_scaled(weight, source, out):
    for t in range(len(out)):
        out[t] += weight * source[t]


@numba.njit(cache=True, nogil=True, fastmath={"contract"})
def add_four(a, b, c, d, wa, wb, wc, wd, out):
    for t in range(len(out)):
        out[t] += (wa * a[t] + wb * b[t]) + (wc * c[t] + wd * d[t])
