"""Which clusters are one unit: no dip between them, a refractory period that they share, or one place that moves."""

from __future__ import annotations

import numba
import numpy as np
from jaxtyping import Float, Int64

__all__ = ["CHANCE_DIP", "dip", "merge_clusters", "moving_residual", "same_unit_evidence"]

REFRACTORY_MS = (0.8, 2.2)
SHOULDER_MS = (10.0, 60.0)
_LEFT = 0.1  # share of the pairs expected of two units that one unit, imperfectly sorted, still has
_USUAL_DIP = 1.0  # chance goes beyond it often: rather two clusters too many, whose templates are compared afterwards
CHANCE_DIP = 3.0
"""What chance makes of one unit's spikes cut in two, a few hundred of them, one time in a hundred: for clusters that no
comparison of templates follows."""
_MOST_EVIDENCE = (-12.0, 6.0)
_STILL = 1.5  # residual variance up to which a moving cluster is one
_FAR = 7.0
_CANDIDATES = 6
_NEIGHBOURS = 8


@numba.njit(cache=True, nogil=True)
def _pairs_within(first, second, low, high):
    """Number of pairs whose distance lies in (low, high], either way; rising samples."""
    count = 0
    a0 = a1 = b0 = b1 = 0
    n = len(second)
    for t in first:
        while a0 < n and second[a0] < t - high:
            a0 += 1
        while a1 < n and second[a1] < t - low:
            a1 += 1
        while b0 < n and second[b0] <= t + low:
            b0 += 1
        while b1 < n and second[b1] <= t + high:
            b1 += 1
        count += (a1 - a0) + (b1 - b0)
    return count


def same_unit_evidence(
    first: Int64[np.ndarray, " a"], second: Int64[np.ndarray, " b"], sampling_rate_hz: float
) -> float:
    """Logarithm of how much likelier the cross-correlogram near zero is if both are one unit than if they are two.

    The count of pairs 0.8 to 2.2 ms apart is Poisson around what the shoulders (10 to 60 ms) let expect of two units,
    or a tenth of that of one, which has a refractory period. Clusters that are never active at the same time give 0.

    Parameters
    ----------
    first, second
        Rising samples.
    """
    per_ms = sampling_rate_hz / 1e3
    low, high = (round(x * per_ms) for x in REFRACTORY_MS)
    near, far = (round(x * per_ms) for x in SHOULDER_MS)
    seen = _pairs_within(first, second, low, high)
    expected = _pairs_within(first, second, near, far) * (high - low) / (far - near)
    return float(seen * np.log(_LEFT) + (1 - _LEFT) * expected)


def _axis(first: np.ndarray, second: np.ndarray) -> np.ndarray | None:
    """Direction that parts two clusters best (Fisher), their scatter held up by the unit scatter they should have."""
    n, m = len(first), len(second)
    pooled = ((n - 1) * np.cov(first.T) + (m - 1) * np.cov(second.T)) / (n + m - 2)
    axis = np.linalg.solve(pooled + np.eye(first.shape[1]), second.mean(0) - first.mean(0))
    norm = np.linalg.norm(axis)
    return axis / norm if norm > 1e-9 else None


def dip(first: Float[np.ndarray, "a dimensions"], second: Float[np.ndarray, "b dimensions"]) -> float:
    """Depth of the valley between two clusters on the line that parts them best, in standard deviations of counts."""
    if min(len(first), len(second)) < 3 or (axis := _axis(first, second)) is None:
        return 0.0
    a, b = first @ axis, second @ axis
    start, stop = sorted((np.median(a), np.median(b)))
    together = np.sort(np.concatenate([a, b]))
    width = 0.35 * (stop - start) / 2
    grid = np.linspace(start, stop, 25)
    counts = np.searchsorted(together, grid + width) - np.searchsorted(together, grid - width)
    best = 0.0
    for i in range(3, 22):
        peak = min(counts[:i].max(), counts[i + 1 :].max())
        best = max(best, (peak - counts[i]) / np.sqrt(peak + counts[i] + 1.0))
    return float(best)


def moving_residual(
    first: Float[np.ndarray, "a dimensions"],
    second: Float[np.ndarray, "b dimensions"],
    first_samples: Int64[np.ndarray, " a"],
    second_samples: Int64[np.ndarray, " b"],
) -> float:
    """Variance of both clusters' points, along the line between them, around their neighbours in time.

    In units of the variance within the clusters (at least 1, which is what it should be): about 1 for one unit that
    moves from the place of one cluster to that of the other; large for two units that are active at the same time.
    """
    if min(len(first), len(second)) < 3 or (axis := _axis(first, second)) is None:
        return np.inf
    within = (len(first) * np.var(first @ axis) + len(second) * np.var(second @ axis)) / (len(first) + len(second))
    along = np.concatenate([first, second]) @ axis
    along = along[np.argsort(np.concatenate([first_samples, second_samples]), kind="stable")]
    n, reach = len(along), min(_NEIGHBOURS, (len(along) - 1) // 2)
    padded = np.concatenate([[0.0], np.cumsum(along)])
    low, high = np.maximum(np.arange(n) - reach, 0), np.minimum(np.arange(n) + reach + 1, n)
    around = (padded[high] - padded[low] - along) / (high - low - 1)
    variance = np.median(np.abs(along - around)) ** 2 / 0.455 / (1 + 0.5 / reach)
    return float(variance / max(within, 1.0))


def merge_clusters(
    points: Float[np.ndarray, "spikes dimensions"],
    labels: Int64[np.ndarray, " spikes"],
    samples: Int64[np.ndarray, " spikes"],
    sampling_rate_hz: float,
    usual_dip: float = _USUAL_DIP,
) -> Int64[np.ndarray, " spikes"]:
    """Merge clusters that are parts of one unit, the surest pair first.

    Parameters
    ----------
    points
        Embeddings, of scatter 1 within units.
    labels
        Cluster of each spike; -1: none.
    samples
        Rising times.
    usual_dip
        Dip above which two clusters are two units if nothing else is known.

    Returns
    -------
    numpy.ndarray
        From 0, in the order of first spikes; -1 stays.
    """
    members = {int(k): np.flatnonzero(labels == k) for k in np.unique(labels) if k >= 0}
    verdicts: dict[tuple[int, int], float] = {}

    def verdict(a: int, b: int) -> float:
        """Positive: merge; the larger the surer."""
        key = (min(a, b), max(a, b))
        if key not in verdicts:
            one, other = members[key[0]], members[key[1]]
            evidence = np.clip(same_unit_evidence(samples[one], samples[other], sampling_rate_hz), *_MOST_EVIDENCE)
            valley = dip(points[one], points[other])
            if valley > usual_dip and evidence > -1:
                still = moving_residual(points[one], points[other], samples[one], samples[other])
                if still < _STILL:
                    valley = 0.0
            verdicts[key] = float(evidence - (valley - usual_dip))
        return verdicts[key]

    while len(members) > 1:
        ids = sorted(members)
        centres = np.array([points[members[k]].mean(0) for k in ids])
        away = np.linalg.norm(centres[:, None] - centres[None], axis=-1)
        np.fill_diagonal(away, np.inf)
        best, pair = 0.0, None
        for i, near in enumerate(np.argsort(away, axis=1)[:, :_CANDIDATES]):
            for j in near:
                if away[i, j] < _FAR and (value := verdict(ids[i], ids[j])) > best:
                    best, pair = value, (ids[i], ids[j])
        if pair is None:
            break
        a, b = pair
        members[a] = np.sort(np.concatenate([members[a], members.pop(b)]))
        verdicts = {key: value for key, value in verdicts.items() if not {a, b} & set(key)}
    out = np.full(len(labels), -1, np.int64)
    for number, k in enumerate(sorted(members, key=lambda k: members[k].min())):
        out[members[k]] = number
    return out
