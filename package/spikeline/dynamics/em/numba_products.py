"""Compiled sums of products of outputs and inputs: what of a trajectory's likelihood depends on data alone.

All in one file, with what it needs: a compiled kernel is kept on the disk until its own file changes, whatever happens
to another file that it was compiled from.
"""

from __future__ import annotations

import numba
import numpy as np

__all__ = ["contract", "own_products", "weighted_sum"]


@numba.njit(cache=True, nogil=True, fastmath={"contract"})
def own_products(inputs, outputs, lengths, begin, end, out):
    """Of trajectories begin to end: sum over steps of o o' with o = (y, u), and u u' of the last step.

    ``out`` has their upper triangles, row by row, one after the other.
    """
    q, m = outputs.shape[2], inputs.shape[2]
    d = q + m
    now, square = np.empty((4, d)), np.empty((d, d))
    for i in range(begin, end):
        for a in range(d):
            for b in range(d):
                square[a, b] = 0.0
        for first in range(0, lengths[i], 4):
            for s in range(4):
                inside = first + s < lengths[i]
                for a in range(q):
                    now[s, a] = outputs[i, first + s, a] if inside else 0.0
                for a in range(m):
                    now[s, q + a] = inputs[i, first + s, a] if inside else 0.0
            for a in range(d):
                w0, w1, w2, w3 = now[0, a], now[1, a], now[2, a], now[3, a]
                row = square[a]
                for b in range(a, d):
                    row[b] += (w0 * now[0, b] + w1 * now[1, b]) + (w2 * now[2, b] + w3 * now[3, b])
        place = 0
        for a in range(d):
            for b in range(a, d):
                out[i, place] = square[a, b]
                place += 1
        last = inputs[i, lengths[i] - 1]
        for a in range(m):
            for b in range(a, m):
                out[i, place] = last[a] * last[b]
                place += 1


@numba.njit(cache=True, nogil=True, fastmath={"contract", "reassoc", "nsz"})
def contract(products, coefficients, begin, end, out):
    """out[i, k] = products[i] . coefficients[k], for i from begin to end."""
    for i in range(begin, end):
        row = products[i]
        for k in range(len(coefficients)):
            other, total = coefficients[k], 0.0
            for j in range(len(other)):
                total += row[j] * other[j]
            out[i, k] = total


@numba.njit(cache=True, nogil=True, fastmath={"contract"})
def weighted_sum(products, weights, least, begin, end, out):
    """Add weights[i, k] products[i] to out[k], for i from begin to end; weights below the least are left out."""
    for i in range(begin, end):
        row = products[i]
        for k in range(weights.shape[1]):
            weight = weights[i, k]
            if weight >= least:
                total = out[k]
                for j in range(len(row)):
                    total[j] += weight * row[j]
