"""Trajectories in K groups by their regressions."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int64

from spikeline.artifacts import seed_integer
from spikeline.dynamics.notes import Notes
from spikeline.dynamics.starts.trajectory_regressions import TrajectoryRegressions
from spikeline.errors import DataError
from spikeline.openmp import one_openmp_thread

__all__ = ["clusters", "settled"]

_STARTS = 10
_MOST_ROUNDS = 20


def clusters(regressions: TrajectoryRegressions, n_components: int, seed: int, notes: Notes) -> Int64[np.ndarray, " N"]:
    """K-means++ on the first K principal components of what responses of single trajectories differ by.

    Parameters
    ----------
    regressions
        Of each trajectory.
    n_components
        K.
    seed
        Root seed of the ten starts.
    notes
        How much of the variance lies between the groups is written there.

    Raises
    ------
    DataError
        If there are fewer different trajectories than components.
    """
    from sklearn.cluster import KMeans

    features = regressions.differences()
    features = features.reshape(len(features), -1)
    different = len(np.unique(features, axis=0))
    if different < n_components:
        raise DataError(
            f"{len(features)} trajectories, {different} of them different, for {n_components} components",
            "at least as many different ones as components",
            "take fewer components, or more trajectories",
        )
    left, values, _ = np.linalg.svd(features - features.mean(axis=0), full_matrices=False)
    points = left[:, :n_components] * values[:n_components]
    with one_openmp_thread():
        made = KMeans(n_components, n_init=_STARTS, random_state=seed_integer(seed, "molds-clusters")).fit(points)
    total = float((points**2).sum())
    notes["between_clusters_share"] = 1 - float(made.inertia_) / total if total > 0 else 0.0
    return made.labels_.astype(np.int64)


def settled(
    regressions: TrajectoryRegressions, labels: Int64[np.ndarray, " N"], n_components: int
) -> Int64[np.ndarray, " N"]:
    """Regress each group, give each trajectory to the response that leaves the least of its outputs, and so on.

    It ends when none moves, or after 20 rounds. A group that has no trajectory begins anew with those that are
    explained worst.

    Parameters
    ----------
    regressions
        Of each trajectory.
    labels
        First groups.
    n_components
        K, at most N.

    Returns
    -------
    array
        The group of each trajectory; none is empty.
    """
    steps = np.maximum(regressions.steps.sum(axis=1), 1.0)
    left = np.full(len(labels), np.inf)
    labels = _without_empty(labels, left, n_components)
    for _ in range(_MOST_ROUNDS):
        responses = np.stack([regressions.response_of(labels == component) for component in range(n_components)])
        each = regressions.squares_left_by(responses) / steps[:, None]
        moved = _without_empty(each.argmin(axis=1), each.min(axis=1), n_components)
        if (moved == labels).all():
            break
        labels = moved
    return labels


def _without_empty(
    labels: Int64[np.ndarray, " N"], left: Float[np.ndarray, " N"], n_components: int
) -> Int64[np.ndarray, " N"]:
    """Fill each empty group with a quarter of a mean group: the trajectories of which most is left."""
    labels, worst = labels.copy(), list(np.argsort(left, kind="stable"))  # the last is explained worst
    counts = np.bincount(labels, minlength=n_components)
    for empty in np.flatnonzero(counts == 0):
        while counts[empty] < max(1, len(labels) // (4 * n_components)):
            trajectory = worst.pop()
            if counts[labels[trajectory]] > 1:  # no group is emptied for another
                counts[[labels[trajectory], empty]] += [-1, 1]
                labels[trajectory] = empty
    return labels
