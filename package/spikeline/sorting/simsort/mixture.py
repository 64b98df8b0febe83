"""A mixture of Gaussians of scatter 1 that finds how many it needs, beside a wide one for what belongs to none."""

from __future__ import annotations

import numba
import numpy as np
from jaxtyping import Float32, Int64

from spikeline.openmp import one_openmp_thread
from spikeline.sorting.simsort.first_centres import first_centres

__all__ = ["fit_mixture"]

_MOST_POINTS = 40_000
_POINTS_PER_CENTRE = 25
_MOST_CENTRES = 80
_SPARE = 2.0  # scatter of the wide component over that of all points


@numba.njit(cache=True, nogil=True, fastmath=True)
def _expectation(points, centres, log_weights, log_wide, sums, counts, labels):
    """One pass of EM: per component the responsibilities' sum and weighted points; returns the log-likelihood."""
    n, d = points.shape
    k = len(centres)
    logp = np.empty(k, np.float32)
    total = 0.0
    sums[:] = 0
    counts[:] = 0
    for i in range(n):
        top, which = log_wide[i], -1
        for j in range(k):
            squared = np.float32(0)
            for c in range(d):
                away = points[i, c] - centres[j, c]
                squared += away * away
            logp[j] = log_weights[j] - squared / 2
            if logp[j] > top:
                top, which = logp[j], j
        norm = np.exp(log_wide[i] - top)
        for j in range(k):
            logp[j] = np.exp(logp[j] - top)
            norm += logp[j]
        total += top + np.log(norm)
        for j in range(k):
            share = logp[j] / norm
            if share > 1e-4:
                counts[j] += share
                for c in range(d):
                    sums[j, c] += share * points[i, c]
        labels[i] = which
    return total


def fit_mixture(
    points: Float32[np.ndarray, "spikes dimensions"],
) -> tuple[Float32[np.ndarray, "components dimensions"], Int64[np.ndarray, " spikes"]]:
    """Centres, and the component of every point (-1: of none).

    Starts from many components; those that do not earn the description length of their centre are taken away
    (Figueiredo and Jain 2002), so their number follows from the points; rather too many than too few.

    Parameters
    ----------
    points
        Of scatter 1 within units. More than 40,000: fitted to an evenly spaced choice of them.
    """
    from sklearn.cluster import KMeans

    n, d = points.shape
    fitted = np.ascontiguousarray(points[np.linspace(0, n - 1, min(n, _MOST_POINTS)).astype(np.int64)], np.float32)
    # Sorted, so that nothing depends on the order in which spikes came.
    fitted = fitted[np.lexsort(fitted.T[::-1])]
    start = first_centres(fitted, int(np.clip(len(fitted) // _POINTS_PER_CENTRE, 1, _MOST_CENTRES)))
    count = len(start)
    with one_openmp_thread():
        centres = KMeans(count, init=start, n_init=1, max_iter=20).fit(fitted.astype(np.float64)).cluster_centers_
    centres = centres.astype(np.float32)
    centre, spread = np.median(fitted, axis=0), np.maximum(1.0, fitted.std(axis=0)) * _SPARE
    wide = lambda x: (-0.5 * (((x - centre) / spread) ** 2).sum(1) - np.log(spread).sum()).astype(np.float32)  # noqa: E731
    weights, share = np.full(count, 0.98 / count), 0.02
    cost = d / 2
    labels = np.empty(len(fitted), np.int64)
    wide_density = wide(fitted)
    before = -np.inf
    for step in range(400):
        sums, counts = np.zeros((len(centres), d)), np.zeros(len(centres))
        likelihood = _expectation(
            fitted, centres, np.log(weights).astype(np.float32), (wide_density + np.log(share)).astype(np.float32),
            sums, counts, labels,
        )  # fmt: skip
        rest = max(len(fitted) - counts.sum(), 1e-3 * len(fitted))
        earned = np.maximum(counts - cost, 0)
        alive = earned > 0
        if alive.all() and step > 20 and likelihood - before < 1e-5 * len(fitted):
            # Only the smallest is asked. Where it earns its place, larger ones may still be parts of one unit: to put
            # parts together is easier (`merging`) than to part what was taken for one.
            weakest = int(counts.argmin())
            if _worth(fitted, centres, weights, share, wide_density, weakest, likelihood):
                break
            alive[weakest] = False
            likelihood = -np.inf
        before = likelihood
        if not alive.any():
            alive[counts.argmax()] = True
        centres = (sums[alive] / np.maximum(counts[alive, None], 1e-9)).astype(np.float32)
        weights = np.maximum(earned[alive], 1e-9)
        total = weights.sum() + rest
        weights, share = weights / total, rest / total
    all_labels = np.empty(n, np.int64)
    log_wide = (wide(points) + np.log(share)).astype(np.float32)
    _expectation(
        np.ascontiguousarray(points, np.float32), centres, np.log(weights).astype(np.float32), log_wide,
        np.zeros((len(centres), d)), np.zeros(len(centres)), all_labels,
    )  # fmt: skip
    return centres, all_labels


def _worth(points, centres, weights, share, wide_density, index, likelihood) -> bool:
    """Whether a component raises the likelihood by more than its description costs."""
    if len(centres) == 1:
        return True
    keep = np.arange(len(centres)) != index
    less, w = centres[keep], weights[keep] * (1 - share) / weights[keep].sum()
    labels = np.empty(len(points), np.int64)
    d = points.shape[1]
    for _ in range(5):
        sums, counts = np.zeros((len(less), d)), np.zeros(len(less))
        without = _expectation(
            points,
            less,
            np.log(w).astype(np.float32),
            (wide_density + np.log(share)).astype(np.float32),
            sums,
            counts,
            labels,
        )
        less = (sums / np.maximum(counts[:, None], 1e-9)).astype(np.float32)
        w = np.maximum(counts, 1e-9) / len(points)
    return likelihood - without > (d + 1) / 2 * np.log(len(points))
