"""Compiled passes over trajectories: filtered for their log-likelihoods, smoothed for their sufficient statistics.

A block of trajectories moves through time together, lane by lane beside each other in memory, so that every product
with a step's small matrix is a few vector instructions per entry of the matrix. A block is sorted by falling length:
those still going are its first lanes.

All in one file, with what it needs: a compiled kernel is kept on the disk until its own file changes, whatever happens
to another file that it was compiled from. Loops are written out, and arrays have one layout: each kind of array and
each expression of arrays would cost a second of compiling.
"""

from __future__ import annotations

import numba
import numpy as np

__all__ = ["score_blocks", "smooth_blocks"]

# Rows of buffers are so much longer than they need be: rows apart by a large power of two share places in the cache.
_ODD = 8
# Entries of matrices that are BLAS's
_LARGE = 1000


@numba.njit(cache=True, nogil=True, fastmath={"contract"})
def _apply_large(matrix, source, row, at, count, target, target_row, place, spare):
    """As `_apply` by BLAS, from and to pieces that lie together; of 24 rows and more it is twice as fast."""
    rows, columns = matrix.shape
    most = len(spare) // (rows + columns)
    for first in range(0, count, most):
        width = min(most, count - first)
        own = spare[: columns * width].reshape(columns, width)
        made = spare[columns * width : (columns + rows) * width].reshape(rows, width)
        for j in range(columns):
            for b in range(width):
                own[j, b] = source[row + j, at + first + b]
        np.dot(matrix, own, made)
        for i in range(rows):
            for b in range(width):
                target[target_row + i, place + first + b] = made[i, b]


@numba.njit(cache=True, nogil=True, fastmath={"contract"})
def _apply(matrix, source, row, at, count, target, target_row, place, spare):
    """Target[target_row:, place : place + count] = matrix source[row:, at : at + count]; spare: some memory."""
    rows = matrix.shape[0]
    if rows * matrix.shape[1] >= _LARGE:
        _apply_large(matrix, source, row, at, count, target, target_row, place, spare)
        return
    for i in range(0, rows, 2):
        k = min(i + 1, rows - 1)  # of an odd number of rows the last is made twice
        out_i = target[target_row + i, place : place + count]
        out_k = target[target_row + k, place : place + count]
        for b in range(count):
            out_i[b] = 0
            out_k[b] = 0
        for j in range(0, matrix.shape[1], 4):
            i0, i1, i2, i3 = matrix[i, j], matrix[i, j + 1], matrix[i, j + 2], matrix[i, j + 3]
            k0, k1, k2, k3 = matrix[k, j], matrix[k, j + 1], matrix[k, j + 2], matrix[k, j + 3]
            s0, s1 = source[row + j, at : at + count], source[row + j + 1, at : at + count]
            s2, s3 = source[row + j + 2, at : at + count], source[row + j + 3, at : at + count]
            for b in range(count):
                made_i = out_i[b] + i0 * s0[b] + i1 * s1[b] + i2 * s2[b] + i3 * s3[b]
                made_k = out_k[b] + k0 * s0[b] + k1 * s1[b] + k2 * s2[b] + k3 * s3[b]
                out_i[b] = made_i
                out_k[b] = made_k


@numba.njit(cache=True, nogil=True, fastmath={"contract", "reassoc", "nsz"})
def _add_products(left, at, right, row, count, out):
    """Out += left[:, at : at + count] right[row : row + columns of out, :count]'."""
    rows, zero = left.shape[0], left.dtype.type(0)
    for i in range(0, rows, 2):
        l = min(i + 1, rows - 1)
        a, c = left[i, at : at + count], left[l, at : at + count]
        for j in range(0, out.shape[1], 4):
            b0, b1, b2, b3 = right[row + j], right[row + j + 1], right[row + j + 2], right[row + j + 3]
            a0, a1, a2, a3, c0, c1, c2, c3 = zero, zero, zero, zero, zero, zero, zero, zero
            for k in range(count):
                a0 += a[k] * b0[k]
                a1 += a[k] * b1[k]
                a2 += a[k] * b2[k]
                a3 += a[k] * b3[k]
                c0 += c[k] * b0[k]
                c1 += c[k] * b1[k]
                c2 += c[k] * b2[k]
                c3 += c[k] * b3[k]
            out[i, j] += a0
            out[i, j + 1] += a1
            out[i, j + 2] += a2
            out[i, j + 3] += a3
            if l > i:
                out[l, j] += c0
                out[l, j + 1] += c1
                out[l, j + 2] += c2
                out[l, j + 3] += c3


@numba.njit(cache=True, nogil=True)
def _pack(values, lengths, lanes, first, steps, buffer, row):
    """Values (N, T, d) of steps [first, first + steps) into d rows of the buffer; zero beyond a trajectory's end."""
    width = len(lanes)
    for b in range(width):
        own, inside = values[lanes[b]], lengths[lanes[b]] - first
        if inside > steps:
            inside = steps
        for j in range(own.shape[1]):
            into = buffer[row + j]
            for t in range(inside):
                into[t * width + b] = own[first + t, j]
            for t in range(max(0, inside), steps):
                into[t * width + b] = 0


@numba.njit(cache=True, nogil=True)
def _read(inputs, outputs, lengths, lanes, first, steps, reduction, read, source, row, spare):
    """What is seen, and inputs, of steps [first, first + steps) into rows of the source."""
    seen = reduction.shape[0]
    zero = steps - steps
    if seen == 0:
        _pack(outputs, lengths, lanes, first, steps, source, row)
        _pack(inputs, lengths, lanes, first, steps, source, row + outputs.shape[2])
        return
    _pack(outputs, lengths, lanes, first, steps, read, zero)
    _pack(inputs, lengths, lanes, first, steps, read, outputs.shape[2])
    _apply(reduction, read, zero, zero, steps * len(lanes), source, row, zero, spare)
    for j in range(inputs.shape[2]):
        for b in range(steps * len(lanes)):
            source[row + seen + j, b] = read[outputs.shape[2] + j, b]


@numba.njit(cache=True, nogil=True)
def _filled_up(rows):
    """Matrices are applied four columns at a time: they, and rows of what they are applied to, are zero beyond."""
    return (rows + 3) // 4 * 4


@numba.njit(cache=True, nogil=True, fastmath={"contract"})
def score_blocks(inputs, outputs, lengths, order, begin, stop, most, reduction, tables, entries, mu, chunk, squares):
    """Sum of squares of the whitened innovations of some trajectories, under some components.

    Parameters
    ----------
    inputs, outputs, lengths
        Of all trajectories.
    order, most
        Which of them, longest first; so many are in a block.
    begin, stop
        The first of the components, and the one after the last.
    reduction
        (K, r, q + m): makes of (y, u) the r numbers that say of the state what y says; r = 0: y itself.
    tables, entries
        ``score`` of `filter_tables` of all components, and how many entries each has.
    mu
        (K, n) first predicted means.
    chunk
        Steps that are read at a time.
    squares
        (N, K): the result, in the rows of these trajectories.
    """
    (K, n), m, kind = mu.shape, inputs.shape[2], outputs.dtype
    seen = reduction.shape[1] if reduction.shape[1] > 0 else outputs.shape[2]
    read = np.zeros((_filled_up(outputs.shape[2] + m), chunk * most + _ODD), kind)
    # Rows: innovation, state, what is seen, inputs; the first two a step after the others
    source = np.zeros((seen + _filled_up(n + seen + m), (chunk + 1) * most + _ODD), kind)
    states, sums = np.empty((K, n, most), kind), np.empty(most, kind)
    spare = np.empty((read.shape[0] + source.shape[0] + n) * most, kind)
    zero = most - most  # no literal, for which numba would compile another time
    for block in range(0, len(order), most):
        lanes = order[block : block + most]
        width, longest = len(lanes), lengths[lanes[0]]
        for k in range(begin, stop):
            for b in range(width):
                squares[lanes[b], k] = 0.0
                for j in range(n):
                    states[k, j, b] = mu[k, j]
        for first in range(0, longest, chunk):
            steps = longest - first if longest - first < chunk else chunk
            for k in range(begin, stop):
                if k == begin or reduction.shape[1] > 0:
                    _read(inputs, outputs, lengths, lanes, first, steps, reduction[k], read, source, seen + n, spare)
                for j in range(n):
                    for b in range(width):
                        source[seen + j, b] = states[k, j, b]
                for b in range(width):
                    sums[b] = 0
                going = width
                for t in range(steps):
                    while lengths[lanes[going - 1]] <= first + t:
                        going -= 1
                    entry = min(first + t, entries[k] - 1)
                    place = (t + 1) * width
                    _apply(tables[k, entry], source, seen, t * width, going, source, zero, place, spare)
                    for j in range(seen):
                        innovation = source[j, place : place + going]
                        for b in range(going):
                            sums[b] += innovation[b] * innovation[b]
                for j in range(n):
                    for b in range(width):
                        states[k, j, b] = source[seen + j, steps * width + b]
                for b in range(width):
                    squares[lanes[b], k] += sums[b]


@numba.njit(cache=True, nogil=True, fastmath={"contract"})
def smooth_blocks(
    inputs, outputs, lengths, order, most, weights, reduction, tables, back, mu, chunk, now, following, ends
):
    """Add up products of smoothed means of some trajectories under one component, weighted.

    Parameters
    ----------
    inputs, outputs, lengths, order, most, chunk
        As for `score_blocks`.
    weights
        Of the trajectories, in their order.
    reduction
        (r, q + m) of this component.
    tables, back
        ``smooth`` and ``back`` of `filter_tables`.
    mu
        (n,) first predicted mean.
    now, following
        Sums to add to: x[t] (y[t], x[t], u[t])' (n, q + n + m), x[t + 1] (x[t], u[t])' (n, n + m); columns filled up.
    ends
        Likewise (2 n + m + 1, n): x x' of last steps, u x' of last steps; x x' of first steps; x of first steps.
    """
    n, q, m, kind = len(mu), outputs.shape[2], inputs.shape[2], outputs.dtype
    seen = reduction.shape[0] if reduction.shape[0] > 0 else q
    last = len(tables) - 1
    zero = most - most  # no literal, for which numba would compile another time
    read = np.zeros((_filled_up(q + m), chunk * most + _ODD), kind)
    # Rows: h, state, what is seen, inputs; the first two a step after the others
    source = np.zeros((n + _filled_up(n + seen + m), (chunk + 1) * most + _ODD), kind)
    kept = np.empty((n, lengths[order[0]] * most + _ODD), kind)
    # Smoothed means of the step after, at first predicted ones of the step after the last; and back times these
    carried, moved = np.zeros((_filled_up(n), most), kind), np.empty((n, most), kind)
    # Rows: outputs, smoothed means, inputs; and smoothed means, weighted, of one step more
    right = np.zeros((q + _filled_up(n + m) + 3, chunk * most + _ODD), kind)
    weighted = np.zeros((n, (chunk + 1) * most + _ODD), kind)
    spare = np.empty((read.shape[0] + source.shape[0] + n) * most, kind)
    part_now, part_following = np.empty(now.shape, kind), np.empty(following.shape, kind)
    for block in range(0, len(order), most):
        lanes = order[block : block + most]
        width, longest = len(lanes), lengths[lanes[0]]
        for j in range(n):
            for b in range(width):
                source[n + j, b] = mu[j]
        going = width
        for first in range(0, longest, chunk):
            steps = longest - first if longest - first < chunk else chunk
            _read(inputs, outputs, lengths, lanes, first, steps, reduction, read, source, 2 * n, spare)
            for t in range(steps):
                place = (t + 1) * width
                _apply(tables[min(first + t, last)], source, n, t * width, going, source, zero, place, spare)
                while going > 0 and lengths[lanes[going - 1]] <= first + t + 1:
                    going -= 1
                    for j in range(n):
                        carried[j, going] = source[n + j, place + going]
            for j in range(n):
                for b in range(steps * width):
                    kept[j, first * width + b] = source[j, width + b]
                for b in range(width):
                    source[n + j, b] = source[n + j, steps * width + b]

        for j in range(n):
            for b in range(width):
                weighted[j, b] = 0
        end = longest
        while end > 0:
            begin = end - chunk if end > chunk else 0
            steps = end - begin
            for j in range(n):
                for b in range(width):
                    weighted[j, steps * width + b] = weighted[j, b]
            _pack(outputs, lengths, lanes, begin, steps, right, zero)
            _pack(inputs, lengths, lanes, begin, steps, right, q + n)
            for t in range(steps - 1, -1, -1):
                joined = going
                while going < width and lengths[lanes[going]] > begin + t:
                    going += 1
                _apply(back[min(begin + t, last)], carried, zero, zero, going, moved, zero, zero, spare)
                for j in range(n):
                    h, add, carry = kept[j, (begin + t) * width : (begin + t + 1) * width], moved[j], carried[j]
                    mean = right[q + j, t * width : (t + 1) * width]
                    scaled = weighted[j, t * width : (t + 1) * width]
                    for b in range(going):
                        carry[b] = h[b] + add[b]
                    for b in range(going):
                        mean[b] = carry[b]
                    for b in range(going):
                        scaled[b] = weights[block + b] * carry[b]
                    for b in range(going, width):
                        mean[b] = 0
                        scaled[b] = 0
                for b in range(joined, going):  # their last step
                    for j in range(n):
                        value = np.float64(weights[block + b]) * carried[j, b]
                        for l in range(n):
                            ends[l, j] += value * carried[l, b]
                        for l in range(m):
                            ends[n + l, j] += value * inputs[lanes[b], begin + t, l]
            for j in range(n):
                for l in range(now.shape[1]):
                    part_now[j, l] = 0
                for l in range(following.shape[1]):
                    part_following[j, l] = 0
            _add_products(weighted, zero, right, zero, steps * width, part_now)
            _add_products(weighted, width, right, q, steps * width, part_following)
            for j in range(n):
                for l in range(now.shape[1]):
                    now[j, l] += part_now[j, l]
                for l in range(following.shape[1]):
                    following[j, l] += part_following[j, l]
            end = begin
        for b in range(width):
            for j in range(n):
                value = np.float64(weights[block + b]) * carried[j, b]
                for l in range(n):
                    ends[n + m + l, j] += value * carried[l, b]
                ends[2 * n + m, j] += value
