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


@numba.njit(cache=True, nogil=True)
def _multiply(a, b, out):
    """Out = a b, in the first columns of out."""
    for i in range(a.shape[0]):
        for j in range(b.shape[1]):
            out[i, j] = 0.0
        for k in range(b.shape[0]):
            for j in range(b.shape[1]):
                out[i, j] += a[i, k] * b[k, j]


@numba.njit(cache=True, nogil=True)
def _congruence(a, b, c, work, out):
    """Out = a b a' + c with symmetric b and c, symmetric to the bit; work = a b. c may be out."""
    _multiply(a, b, work)
    for i in range(a.shape[0]):
        for j in range(i + 1):
            total = (c[i, j] + c[j, i]) / 2
            for k in range(b.shape[0]):
                total += work[i, k] * a[j, k]
            out[i, j] = total
            out[j, i] = total


@numba.njit(cache=True, nogil=True)
def _cholesky(a, root):
    """Fill the lower triangle of root; whether a is positive definite."""
    for i in range(a.shape[0]):
        for j in range(i + 1):
            total = a[i, j]
            for k in range(j):
                total -= root[i, k] * root[j, k]
            if i == j:
                if not total > 0.0:
                    return False
                root[i, i] = math.sqrt(total)
            else:
                root[i, j] = total / root[j, j]
    return True


@numba.njit(cache=True, nogil=True)
def _forwards(root, b, columns):
    """Root^-1 b in place, of so many columns."""
    for i in range(root.shape[0]):
        for k in range(i):
            for j in range(columns):
                b[i, j] -= root[i, k] * b[k, j]
        for j in range(columns):
            b[i, j] /= root[i, i]


@numba.njit(cache=True, nogil=True)
def _backwards(root, b, columns):
    """Root'^-1 b in place, of so many columns."""
    for i in range(root.shape[0] - 1, -1, -1):
        for k in range(i + 1, root.shape[0]):
            for j in range(columns):
                b[i, j] -= root[k, i] * b[k, j]
        for j in range(columns):
            b[i, j] /= root[i, i]


@numba.njit(cache=True, nogil=True)
def _change(new, old):
    """Largest change of a covariance, relative to standard deviations."""
    largest = 0.0
    for i in range(new.shape[0]):
        for j in range(i + 1):
            change, size = abs(new[i, j] - old[i, j]), math.sqrt(abs(new[i, i] * new[j, j]))
            if change > largest * size:
                largest = change / size if size > 0.0 else math.inf
    return largest


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
def filter_tables(A, B, C, D, Q, R, S, steps):
    """What takes means from step to step, for t = 0, 1, ..., the last entry for all later steps too.

    With x the predicted mean, o = (y, u) the outputs and inputs of a step: ``score[t] (x, o)`` is the whitened
    innovation above the next predicted mean; ``smooth[t] (x, o)`` is h above the next predicted mean, where the
    smoothed mean is h + back[t] (smoothed mean of the next step). Columns are filled up to a multiple of four.

    Returns
    -------
    tuple
        predicted (T + 1, n, n) and filtered (T, n, n) covariances; back (T, n, n); score (T, q + n, n + q + m); smooth
        (T, 2 n, n + q + m); half the log-determinant of the innovation's covariance (T,); the number of entries that
        were filled; and -1, or the step at which a covariance was not positive definite.
    """
    n, m, q = A.shape[0], B.shape[1], C.shape[0]
    columns = (n + q + m + 3) // 4 * 4
    predicted, filtered = np.empty((steps + 1, n, n)), np.empty((steps, n, n))
    back = np.zeros((steps, n, (n + 3) // 4 * 4))
    score, smooth = np.zeros((steps, q + n, columns)), np.zeros((steps, 2 * n, columns))
    determinant = np.zeros(steps)
    seen, root, next_root = np.empty((q, q)), np.zeros((q, q)), np.zeros((n, n))
    nothing, gain, kept = np.zeros((n, n)), np.empty((n, q)), np.empty((n, n))
    work_q, work = np.empty((q, n)), np.empty((n, max(n, q)))
    # Of (x, o): the filtered mean, the next predicted one, the innovation
    mean, ahead, innovation = np.zeros((n, columns)), np.empty((n, columns)), np.empty((q, columns))
    changes = np.empty(_LOOK_BACK + 1)
    for i in range(n):
        for j in range(n):
            predicted[0, i, j] = (S[i, j] + S[j, i]) / 2
    for t in range(steps):
        _congruence(C, predicted[t], R, work_q, seen)
        if not _cholesky(seen, root):
            return predicted, filtered, back, score, smooth, determinant, t, t
        for i in range(q):
            determinant[t] += math.log(root[i, i])
        _forwards(root, work_q, n)
        _backwards(root, work_q, n)
        for i in range(n):
            for j in range(q):
                gain[i, j] = work_q[j, i]
                mean[i, n + j] = gain[i, j]
            for j in range(n + m):
                total = 1.0 if i == j else 0.0
                for k in range(q):
                    total -= gain[i, k] * (C[k, j] if j < n else D[k, j - n])
                if j < n:
                    kept[i, j] = total
                    mean[i, j] = total
                else:
                    mean[i, q + j] = total
        # Joseph's form: a sum of two squares
        _congruence(gain, R, nothing, work, filtered[t])
        _congruence(kept, predicted[t], filtered[t], work, filtered[t])
        _congruence(A, filtered[t], Q, work, predicted[t + 1])
        if not _cholesky(predicted[t + 1], next_root):
            return predicted, filtered, back, score, smooth, determinant, t, t + 1
        _forwards(next_root, work, n)
        _backwards(next_root, work, n)
        _multiply(A, mean, ahead)
        for i in range(q):
            for j in range(columns):
                innovation[i, j] = 0.0
            for j in range(n):
                innovation[i, j] = -C[i, j]
            innovation[i, n + i] = 1.0
            for j in range(m):
                innovation[i, n + q + j] = -D[i, j]
        _forwards(root, innovation, columns)
        for i in range(n):
            for j in range(m):
                ahead[i, n + q + j] += B[i, j]
            for j in range(n):
                back[t, i, j] = work[j, i]
        for j in range(columns):
            for i in range(q):
                score[t, i, j] = innovation[i, j]
            for i in range(n):
                total = mean[i, j]
                for k in range(n):
                    total -= back[t, i, k] * ahead[k, j]
                smooth[t, i, j] = total
                smooth[t, n + i, j] = ahead[i, j]
                score[t, q + i, j] = ahead[i, j]
        changes[t % len(changes)] = _change(predicted[t + 1], predicted[t])
        if _arrived(changes, t + 1):
            return predicted, filtered, back, score, smooth, determinant, t + 1, -1
    return predicted, filtered, back, score, smooth, determinant, steps, -1


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
    sums, J = np.zeros((4, n, n)), np.empty((n, n))
    now, before = np.zeros((n, n)), np.zeros((n, n))
    less, added, work = np.empty((n, n)), np.empty((n, n)), np.empty((n, n))
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
        _multiply(J, before, work)  # Cov(x[t], x[t + 1])
        for i in range(n):
            for j in range(n):
                sums[2, i, j] += repeated * work[j, i]
        _congruence(J, less, added, work, now)
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
