"""Compiled recursions of covariances of one component: once for all trajectories, until they stop changing.

All in one file, with what it needs: a compiled kernel is kept on the disk until its own file changes, whatever happens
to another file that it was compiled from. Loops are written out, and arrays have one layout: each kind of array and
each expression of arrays would cost a second of compiling.
"""

from __future__ import annotations

import math

import numba
import numpy as np

__all__ = ["filter_tables", "smoothed_covariance_sums"]

# Covariances approach their limit by a factor per step, which is seen over so many steps.
_LOOK_BACK = 8
# They have arrived when the last change is no more than rounding and what is still to come, a geometric series, is as
# little. Changes are relative to standard deviations, so that no state hides behind a larger one.
_LAST_CHANGE = 1e-14
_STILL_TO_COME = 1e-11
# Rows of products that are BLAS's
_LARGE = 8


@numba.njit(cache=True, nogil=True, fastmath={"contract"})
def _take_rows(weights, first, end, rows, begin, stop, out):
    """Take the sum of weights[k] rows[k] over first <= k < end from out, in columns begin to stop; four rows at a
    time, so that an entry is read and written once for four products."""
    k = first
    while k + 4 <= end:
        w0, w1, w2, w3 = weights[k], weights[k + 1], weights[k + 2], weights[k + 3]
        r0, r1, r2, r3 = rows[k], rows[k + 1], rows[k + 2], rows[k + 3]
        for j in range(begin, stop):
            out[j] -= w0 * r0[j] + w1 * r1[j] + w2 * r2[j] + w3 * r3[j]
        k += 4
    while k < end:
        w0, r0 = weights[k], rows[k]
        for j in range(begin, stop):
            out[j] -= w0 * r0[j]
        k += 1


@numba.njit(cache=True, nogil=True, fastmath={"contract"})
def _multiply(a, b, out):
    """Out = a b; large ones by BLAS, which is three times as fast for 30 rows and half as fast for three."""
    if a.shape[0] >= _LARGE:
        np.dot(a, b, out)
        return
    for i in range(a.shape[0]):
        for j in range(b.shape[1]):
            out[i, j] = 0.0
        for k in range(a.shape[1]):
            for j in range(b.shape[1]):
                out[i, j] += a[i, k] * b[k, j]


@numba.njit(cache=True, nogil=True)
def _congruence(a, turned, b, c, work, square, out):
    """Out = a b a' + c with symmetric b and c, symmetric to the bit; turned = a', work = a b. c may be out."""
    _multiply(a, b, work)
    _multiply(work, turned, square)
    for i in range(a.shape[0]):
        for j in range(i + 1):
            out[i, j] = (square[i, j] + square[j, i] + c[i, j] + c[j, i]) / 2
            out[j, i] = out[i, j]


@numba.njit(cache=True, nogil=True)
def _cholesky(a, lower, upper):
    """Fill the factor and its transpose; whether a is positive definite. Entries on the other side are left."""
    size = a.shape[0]
    for k in range(size):
        row = upper[k]
        for j in range(k, size):
            row[j] = a[k, j]
        _take_rows(lower[k], 0, k, upper, k, size, row)
        if not row[k] > 0.0:
            return False
        root = math.sqrt(row[k])
        for j in range(k, size):
            row[j] /= root
            lower[j, k] = row[j]
    return True


@numba.njit(cache=True, nogil=True)
def _solve_forwards(lower, b, columns):
    """Lower^-1 b in place, in so many columns."""
    for i in range(lower.shape[0]):
        _take_rows(lower[i], 0, i, b, 0, columns, b[i])
        for j in range(columns):
            b[i, j] /= lower[i, i]


@numba.njit(cache=True, nogil=True)
def _solve_backwards(upper, b, columns):
    """Upper^-1 b in place, in so many columns."""
    size = upper.shape[0]
    for i in range(size - 1, -1, -1):
        _take_rows(upper[i], i + 1, size, b, 0, columns, b[i])
        for j in range(columns):
            b[i, j] /= upper[i, i]


@numba.njit(cache=True, nogil=True)
def _turn(a, out):
    """Out = a'."""
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            out[j, i] = a[i, j]


@numba.njit(cache=True, nogil=True)
def _change(new, old):
    """Largest change of a covariance, relative to standard deviations."""
    largest = 0.0
    for i in range(new.shape[0]):
        for j in range(i + 1):
            change, size = abs(new[i, j] - old[i, j]), abs(new[i, i] * new[j, j])
            if change * change > largest * size:
                largest = change * change / size if size > 0.0 else math.inf
    return math.sqrt(largest)


@numba.njit(cache=True, nogil=True)
def _arrived(changes, count):
    """Whether a recursion has reached its limit, by its last changes, a ring into which count were written."""
    last = changes[(count - 1) % len(changes)]
    if last == 0.0:
        return True
    if count < len(changes) or last > _LAST_CHANGE:
        return False
    rate = (last / changes[count % len(changes)]) ** (1.0 / (len(changes) - 1))
    return rate < 1.0 and last / (1.0 - rate) < _STILL_TO_COME


@numba.njit(cache=True, nogil=True)
def filter_tables(A, B, C, D, Q, R, S, predicted, filtered, back, score, smooth, determinant):
    """What takes means from step to step, for t = 0, 1, ..., the last entry for all later steps too.

    With x the predicted mean, o = (y, u) the outputs and inputs of a step: ``score[t] (x, o)`` is the whitened
    innovation above the next predicted mean; ``smooth[t] (x, o)`` is h above the next predicted mean, where the
    smoothed mean is h + back[t] (smoothed mean of the next step). Columns are filled up to a multiple of four.

    Parameters
    ----------
    A, B, C, D, Q, R, S
        Of a component.
    predicted, filtered
        Covariances, (T + 1, n, n) and (T, n, n), to be filled.
    back, score, smooth
        Likewise (T, n, n), (T, q + n, n + q + m) and (T, 2 n, n + q + m).
    determinant
        Likewise (T,), half the log-determinant of the innovation's covariance.

    Returns
    -------
    tuple
        The number of entries that were filled; and -1, or the step at which a covariance was not positive definite.
    """
    n, m, q, steps = A.shape[0], B.shape[1], C.shape[0], filtered.shape[0]
    columns = score.shape[2]
    seen, lower, upper = np.empty((q, q)), np.zeros((q, q)), np.zeros((q, q))
    next_lower, next_upper = np.zeros((n, n)), np.zeros((n, n))
    nothing, gain, kept = np.zeros((n, n)), np.empty((n, q)), np.empty((n, n))
    # Transposes, so that every product runs along rows
    A_turned, C_turned, kept_turned = np.empty((n, n)), np.empty((n, q)), np.empty((n, n))
    work_q, work_n, work = np.empty((q, n)), np.empty((n, q)), np.empty((n, n))
    square_q, square, J = np.empty((q, q)), np.empty((n, n)), np.empty((n, n))
    # Of (x, u): what is expected of y, and times the gain
    expected, corrected = np.empty((q, n + m)), np.empty((n, n + m))
    # Of (x, o): the filtered mean, the next predicted one, back times it, the innovation
    mean, ahead, moved = np.zeros((n, columns)), np.empty((n, columns)), np.empty((n, columns))
    innovation = np.empty((q, columns))
    changes = np.empty(_LOOK_BACK + 1)
    _turn(A, A_turned)
    _turn(C, C_turned)
    for i in range(q):
        for j in range(n):
            expected[i, j] = C[i, j]
        for j in range(m):
            expected[i, n + j] = D[i, j]
    for i in range(n):
        for j in range(n):
            predicted[0, i, j] = (S[i, j] + S[j, i]) / 2
    for t in range(steps):
        _congruence(C, C_turned, predicted[t], R, work_q, square_q, seen)
        if not _cholesky(seen, lower, upper):
            return t, t
        determinant[t] = 0.0
        for i in range(q):
            determinant[t] += math.log(lower[i, i])
        _solve_forwards(lower, work_q, n)
        _solve_backwards(upper, work_q, n)
        _turn(work_q, gain)
        _multiply(gain, expected, corrected)
        for i in range(n):
            for j in range(n):
                kept[i, j] = -corrected[i, j]
            kept[i, i] += 1.0
            for j in range(n):
                mean[i, j] = kept[i, j]
            for j in range(q):
                mean[i, n + j] = gain[i, j]
            for j in range(m):
                mean[i, n + q + j] = -corrected[i, n + j]
        # Joseph's form: a sum of two squares
        _turn(kept, kept_turned)
        _congruence(gain, work_q, R, nothing, work_n, square, filtered[t])
        _congruence(kept, kept_turned, predicted[t], filtered[t], work, square, filtered[t])
        _congruence(A, A_turned, filtered[t], Q, work, square, predicted[t + 1])
        if not _cholesky(predicted[t + 1], next_lower, next_upper):
            return t, t + 1
        _solve_forwards(next_lower, work, n)
        _solve_backwards(next_upper, work, n)
        _turn(work, J)
        _multiply(A, mean, ahead)
        for i in range(q):
            for j in range(columns):
                innovation[i, j] = 0.0
            for j in range(n):
                innovation[i, j] = -C[i, j]
            innovation[i, n + i] = 1.0
            for j in range(m):
                innovation[i, n + q + j] = -D[i, j]
        _solve_forwards(lower, innovation, columns)
        for i in range(n):
            for j in range(m):
                ahead[i, n + q + j] += B[i, j]
        _multiply(J, ahead, moved)
        for i in range(q):
            for j in range(columns):
                score[t, i, j] = innovation[i, j]
        for i in range(n):
            for j in range(n):
                back[t, i, j] = J[i, j]
            for j in range(n, back.shape[2]):
                back[t, i, j] = 0.0
            for j in range(columns):
                score[t, q + i, j] = ahead[i, j]
                smooth[t, n + i, j] = ahead[i, j]
                smooth[t, i, j] = mean[i, j] - moved[i, j]
        changes[t % len(changes)] = _change(predicted[t + 1], predicted[t])
        if _arrived(changes, t + 1):
            return t + 1, -1
    return steps, -1


@numba.njit(cache=True, nogil=True)
def smoothed_covariance_sums(predicted, filtered, back, ending):
    """Sums over steps and trajectories of the covariances of smoothed states, for all lengths in one sweep.

    The recursion of smoothed covariances is linear, and its coefficients do not depend on where a trajectory ends: run
    backwards on their sum over trajectories, it takes in at each step those that end there.

    Parameters
    ----------
    predicted, filtered, back
        From `filter_tables`.
    ending
        (T,) sum of the weights of the trajectories whose last step is t.

    Returns
    -------
    array
        (4, n, n): the sum over all steps; over steps that have a next one; of Cov(x[t + 1], x[t]); over first steps.
    """
    n, last = filtered.shape[1], len(filtered) - 1
    sums, J, J_turned = np.zeros((4, n, n)), np.empty((n, n)), np.empty((n, n))
    now, before = np.zeros((n, n)), np.zeros((n, n))
    less, added = np.empty((n, n)), np.empty((n, n))
    work, square = np.empty((n, n)), np.empty((n, n))
    changes = np.empty(_LOOK_BACK + 1)
    alive = 0.0  # weights of trajectories that have step t + 1
    t = len(ending) - 1
    count = t - t  # steps since one ended or gains changed; no literal, for which numba would compile another time
    while t >= 0:
        at = min(t, last)
        repeated = 1
        if count > 0 and t >= last and ending[t] == 0.0 and _arrived(changes, count):
            # Nothing changes until a trajectory ends, or gains are those of the first steps
            while t - repeated >= last and ending[t - repeated] == 0.0:
                repeated += 1
        for i in range(n):
            for j in range(n):
                J[i, j] = back[at, i, j]
                less[i, j] = before[i, j] - alive * predicted[at + 1, i, j]
                added[i, j] = (alive + ending[t]) * filtered[at, i, j]
        _turn(J, J_turned)
        _multiply(J, before, work)  # Cov(x[t], x[t + 1])
        for i in range(n):
            for j in range(n):
                sums[2, i, j] += repeated * work[j, i]
        _congruence(J, J_turned, less, added, work, square, now)
        for i in range(n):
            for j in range(n):
                sums[0, i, j] += repeated * now[i, j]
                sums[1, i, j] += repeated * (now[i, j] - ending[t] * filtered[at, i, j])
        if t >= last and ending[t] == 0.0:
            changes[count % len(changes)] = _change(now, before)
            count += 1
        else:
            count = 0
        alive += ending[t]
        for i in range(n):
            for j in range(n):
                before[i, j] = now[i, j]
        t -= repeated
    for i in range(n):
        for j in range(n):
            sums[3, i, j] = before[i, j]
    return sums
