"""Compiled recursions of one trajectory of which outputs are missing; what they compute: `missing_outputs`.

Plain loops throughout: the matrices are small, and numba takes seconds to compile an assignment between arrays. All in
one file: a compiled kernel is kept on the disk until its own file changes (see `numba_products`).
"""

from __future__ import annotations

import numba
import numpy as np

__all__ = ["block_statistics"]


@numba.njit(cache=True, nogil=True)
def _cholesky(matrix):
    """Lower root in place of the lower triangle; False if there is none."""
    for i in range(len(matrix)):
        for j in range(i + 1):
            rest = matrix[i, j]
            for k in range(j):
                rest -= matrix[i, k] * matrix[j, k]
            if i > j:
                matrix[i, j] = rest / matrix[j, j]
            elif rest > 0:
                matrix[i, i] = np.sqrt(rest)
            else:  # NaN as well
                return False
    return True


@numba.njit(cache=True, nogil=True)
def _solve_right(root, rows):
    """rows (L L')^-1 in place of rows."""
    n = len(root)
    for row in rows:
        for j in range(n):
            rest = row[j]
            for k in range(j):
                rest -= root[j, k] * row[k]
            row[j] = rest / root[j, j]
        for j in range(n - 1, -1, -1):
            rest = row[j]
            for k in range(j + 1, n):
                rest -= root[k, j] * row[k]
            row[j] = rest / root[j, j]


@numba.njit(cache=True, nogil=True)
def _product(left, right, out):
    """left right, in place of out."""
    for i in range(left.shape[0]):
        for j in range(right.shape[1]):
            out[i, j] = 0.0
        for k in range(left.shape[1]):
            factor = left[i, k]
            for j in range(right.shape[1]):
                out[i, j] += factor * right[k, j]


@numba.njit(cache=True, nogil=True)
def _product_turned(left, right, out):
    """left right', in place of out."""
    for i in range(left.shape[0]):
        for j in range(right.shape[0]):
            total = 0.0
            for k in range(left.shape[1]):
                total += left[i, k] * right[j, k]
            out[i, j] = total


@numba.njit(cache=True, nogil=True)
def _apply(matrix, vector, out):
    """out += matrix vector."""
    for i in range(matrix.shape[0]):
        total = 0.0
        for j in range(matrix.shape[1]):
            total += matrix[i, j] * vector[j]
        out[i] += total


@numba.njit(cache=True, nogil=True)
def _copy_vector(source, target):
    for i in range(len(source)):
        target[i] = source[i]


@numba.njit(cache=True, nogil=True)
def _copy(source, target):
    for i in range(source.shape[0]):
        for j in range(source.shape[1]):
            target[i, j] = source[i, j]


@numba.njit(cache=True, nogil=True)
def _add_outer(left, right, out):
    for i in range(len(left)):
        for j in range(len(right)):
            out[i, j] += left[i] * right[j]


@numba.njit(cache=True, nogil=True)
def _filter(A, B, C, D, Q, R, mu, S, inputs, outputs, seen, length, means, covariances, filtered, filtered_covariances):
    """Predicted and filtered states of one trajectory; its log-likelihood, or NaN if a covariance has no root."""
    n, q = len(A), len(C)
    chosen = np.empty(q, np.int64)
    error, weighted = np.empty(q), np.empty((1, q))
    root_store, gain_store, cross_store = np.empty((q, q)), np.empty((n, q)), np.empty((n, q))
    left, moved, noise_store = np.empty((n, n)), np.empty((n, n)), np.empty((n, q))
    log_likelihood = 0.0
    for t in range(length):
        P = covariances[t]
        if t == 0:
            _copy_vector(mu, means[0])
            _copy(S, P)
        else:
            for i in range(n):
                means[t, i] = 0.0
            _apply(A, filtered[t - 1], means[t])
            _apply(B, inputs[t - 1], means[t])
            _product(A, filtered_covariances[t - 1], moved)
            _product_turned(moved, A, P)
            for i in range(n):
                for j in range(i + 1):
                    mean = (P[i, j] + P[j, i]) / 2
                    P[i, j], P[j, i] = mean + Q[i, j], mean + Q[j, i]
        r = 0
        for j in range(q):
            if seen[t, j]:
                chosen[r] = j
                r += 1
        _copy_vector(means[t], filtered[t])
        _copy(P, filtered_covariances[t])
        if r == 0:
            continue
        root, gain, cross = root_store[:r, :r], gain_store[:, :r], cross_store[:, :r]
        for b in range(r):
            row = chosen[b]
            rest = outputs[t, row]
            for i in range(n):
                total = 0.0
                for j in range(n):
                    total += P[i, j] * C[row, j]
                cross[i, b] = total
                rest -= C[row, i] * means[t, i]
            for j in range(len(inputs[t])):
                rest -= D[row, j] * inputs[t, j]
            error[b] = rest
        for a in range(r):
            for b in range(a + 1):
                total = R[chosen[a], chosen[b]]
                for i in range(n):
                    total += C[chosen[a], i] * cross[i, b]
                root[a, b] = total
        if not _cholesky(root):
            return np.nan
        _copy(cross, gain)
        _solve_right(root, gain)
        _copy_vector(error[:r], weighted[0])
        _solve_right(root, weighted[:, :r])
        surprise = 0.0
        for b in range(r):
            surprise += error[b] * weighted[0, b]
            log_likelihood -= np.log(root[b, b])
        log_likelihood -= 0.5 * (surprise + r * np.log(2 * np.pi))
        _apply(gain, error[:r], filtered[t])
        # Joseph form: (I - K C) P (I - K C)' + K R K'
        for i in range(n):
            for j in range(n):
                total = 1.0 if i == j else 0.0
                for b in range(r):
                    total -= gain[i, b] * C[chosen[b], j]
                left[i, j] = total
        _product(left, P, moved)
        _product_turned(moved, left, filtered_covariances[t])
        noise = noise_store[:, :r]
        for i in range(n):
            for b in range(r):
                total = 0.0
                for a in range(r):
                    total += gain[i, a] * R[chosen[a], chosen[b]]
                noise[i, b] = total
        for i in range(n):
            for j in range(n):
                total = 0.0
                for b in range(r):
                    total += noise[i, b] * gain[j, b]
                filtered_covariances[t, i, j] += total
    return log_likelihood


@numba.njit(cache=True, nogil=True)
def _completion(C, R, seen, given_seen, state_part, left_over):
    """G in the missing rows and observed columns, H = C_m - G C_o, and Cov y_m; zero elsewhere. False without root."""
    q, n = C.shape
    for i in range(q):
        for j in range(q):
            given_seen[i, j], left_over[i, j] = 0.0, 0.0
        for j in range(n):
            state_part[i, j] = 0.0
    r = 0
    chosen = np.empty(q, np.int64)
    for j in range(q):
        if seen[j]:
            chosen[r] = j
            r += 1
    if r == q:
        return True
    root, row = np.empty((r, r)), np.empty((1, r))
    for a in range(r):
        for b in range(a + 1):
            root[a, b] = R[chosen[a], chosen[b]]
    if not _cholesky(root):
        return False
    for i in range(q):
        if seen[i]:
            continue
        for a in range(r):
            row[0, a] = R[i, chosen[a]]
        _solve_right(root, row)
        for a in range(r):
            given_seen[i, chosen[a]] = row[0, a]
        for j in range(n):
            total = C[i, j]
            for a in range(r):
                total -= row[0, a] * C[chosen[a], j]
            state_part[i, j] = total
        for j in range(q):
            if not seen[j]:
                total = R[i, j]
                for a in range(r):
                    total -= row[0, a] * R[chosen[a], j]
                left_over[i, j] = total
    return True


@numba.njit(cache=True, nogil=True)
def _smooth_and_sum(
    A, C, D, R, inputs, outputs, seen, length, means, covariances, filtered, filtered_covariances, packed
):
    """Smooth backwards in place of the filtered states, and sum the statistics; False if a covariance has no root."""
    n, q, m = len(A), len(C), inputs.shape[1]
    z = n + m
    zz_next = packed[: z * z].reshape(z, z)
    begin = z * z
    xz_next = packed[begin : begin + n * z].reshape(n, z)
    begin += n * z
    xx_next = packed[begin : begin + n * n].reshape(n, n)
    begin += n * n
    zz_all = packed[begin : begin + z * z].reshape(z, z)
    begin += z * z
    yz_all = packed[begin : begin + q * z].reshape(q, z)
    begin += q * z
    yy_all = packed[begin : begin + q * q].reshape(q, q)
    begin += q * q
    first = packed[begin : begin + n]
    begin += n
    first_square = packed[begin : begin + n * n].reshape(n, n)

    back, moved, root = np.empty((n, n)), np.empty((n, n)), np.empty((n, n))
    difference, off, lagged = np.empty((n, n)), np.empty(n), np.empty((n, n))
    given_seen, state_part, left_over = np.empty((q, q)), np.empty((q, n)), np.empty((q, q))
    spread, y, rest = np.empty((q, n)), np.empty(q), np.empty(q)
    here = np.empty(z)
    pattern = -1  # the step whose pattern of missing outputs the completion is that of
    for t in range(length - 1, -1, -1):
        x, V = filtered[t], filtered_covariances[t]
        for j in range(m):
            here[n + j] = inputs[t, j]
        if t + 1 < length:
            # J = P+ A' P-^-1
            _copy(covariances[t + 1], root)
            if not _cholesky(root):
                return False
            _product_turned(V, A, back)
            _solve_right(root, back)
            for i in range(n):
                off[i] = filtered[t + 1, i] - means[t + 1, i]
                for j in range(n):
                    difference[i, j] = filtered_covariances[t + 1, i, j] - covariances[t + 1, i, j]
            _apply(back, off, x)
            _product(back, difference, moved)
            _product_turned(moved, back, lagged)
            for i in range(n):
                for j in range(n):
                    V[i, j] += lagged[i, j]
            for i in range(n):
                here[i] = x[i]
            # E x[t + 1] z[t]', with Cov(x[t + 1], x[t]) = V[t + 1] J'
            _product_turned(filtered_covariances[t + 1], back, lagged)
            _add_outer(filtered[t + 1], here, xz_next)
            _add_outer(here, here, zz_next)
            _add_outer(filtered[t + 1], filtered[t + 1], xx_next)
            for i in range(n):
                for j in range(n):
                    xz_next[i, j] += lagged[i, j]
                    zz_next[i, j] += V[i, j]
                    xx_next[i, j] += filtered_covariances[t + 1, i, j]
        for i in range(n):
            here[i] = x[i]
        r = 0
        same = pattern >= 0
        for j in range(q):
            if seen[t, j]:
                r += 1
            if same and seen[t, j] != seen[pattern, j]:
                same = False
        if r == 0:
            continue
        _add_outer(here, here, zz_all)
        for i in range(n):
            for j in range(n):
                zz_all[i, j] += V[i, j]
        if r == q:
            _add_outer(outputs[t], here, yz_all)
            _add_outer(outputs[t], outputs[t], yy_all)
            continue
        if not same:
            if not _completion(C, R, seen[t], given_seen, state_part, left_over):
                return False
            pattern = t
        for i in range(q):
            rest[i] = outputs[t, i]
            for j in range(m):
                rest[i] -= D[i, j] * inputs[t, j]
        # y = H x + h: what was observed stands, what is missing follows from the state and the noise of the others
        for i in range(q):
            y[i] = outputs[t, i]
            if not seen[t, i]:
                y[i] = 0.0
                for j in range(m):
                    y[i] += D[i, j] * inputs[t, j]
                for j in range(q):
                    if seen[t, j]:
                        y[i] += given_seen[i, j] * rest[j]
        _apply(state_part, x, y)
        _product(state_part, V, spread)
        _add_outer(y, here, yz_all)
        _add_outer(y, y, yy_all)
        for i in range(q):
            for j in range(n):
                yz_all[i, j] += spread[i, j]
            for j in range(q):
                total = left_over[i, j]
                for k in range(n):
                    total += spread[i, k] * state_part[j, k]
                yy_all[i, j] += total
    for i in range(n):
        first[i] = filtered[0, i]
        for j in range(n):
            first_square[i, j] = filtered[0, i] * filtered[0, j] + filtered_covariances[0, i, j]
    return True


@numba.njit(cache=True, nogil=True)
def block_statistics(A, B, C, D, Q, R, mu, S, inputs, outputs, seen, lengths, log_likelihoods, packed):
    """Log-likelihoods (b, K) and statistics (b, K, size) of b trajectories under K components.

    Statistics are packed in the order of `missing_outputs`, and not computed if size is 0. Returns whether a
    covariance was not positive definite.
    """
    longest, n = inputs.shape[1], A.shape[1]
    means, filtered = np.empty((longest, n)), np.empty((longest, n))
    covariances, filtered_covariances = np.empty((longest, n, n)), np.empty((longest, n, n))
    for b in range(len(lengths)):
        for k in range(len(A)):
            log_likelihoods[b, k] = _filter(
                A[k], B[k], C[k], D[k], Q[k], R[k], mu[k], S[k], inputs[b], outputs[b], seen[b], lengths[b],
                means, covariances, filtered, filtered_covariances,
            )  # fmt: skip
            if np.isnan(log_likelihoods[b, k]):
                return True
            if packed.shape[2] and not _smooth_and_sum(
                A[k], C[k], D[k], R[k], inputs[b], outputs[b], seen[b], lengths[b],
                means, covariances, filtered, filtered_covariances, packed[b, k],
            ):  # fmt: skip
                return True
    return False
