"""The tables ``points`` and ``outlines`` of the figure ``embedding``: features in a plane, with the clusters found."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float, Float64, Int64

from spikeline.sorting.simsort.evaluation.identification_scores import ClusteredSpikes

__all__ = ["embedding_tables", "plane_of_units"]

_MOST_POINTS = 2000
_FEWEST_IN_OUTLINE = 15


def embedding_tables(group: ClusteredSpikes, unit_ids: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Each feature of one group of channels, and the clusters that the sorter's own clustering finds in it.

    Parameters
    ----------
    group
        Spikes.
    unit_ids
        Of all units of the recording.

    Returns
    -------
    dict
        ``points``: feature, time_s, unit_id, found (cluster, -1: none), x, y; at most 2000 spikes, evenly chosen.
        ``outlines``: feature, found, n, and mean (x, y) and covariance (xx, xy, yy) of a cluster's points; those of
        at least 15 spikes. The plane is UMAP's, of other features that of `plane_of_units`.
    """
    index, clock = group.cut.unit_index, group.cut.times / group.cut.rate_hz
    some = np.unique(np.linspace(0, len(index) - 1, min(len(index), _MOST_POINTS)).astype(int))
    points, outlines = [], []
    for feature, features in group.features.items():
        if feature == "pca_told":  # the plane of ``pca``
            continue
        plane = features.astype(np.float64) if feature == "umap" else plane_of_units(features, index)
        found = group.found[feature, "mixture"]
        facts = {"time_s": np.round(clock[some], 6), "unit_id": [unit_ids[unit] for unit in index[some]]}
        drawn = {"found": found[some], "x": plane[some, 0], "y": plane[some, 1]}
        points.append(pd.DataFrame({"feature": feature, **facts, **drawn}))
        for cluster in np.unique(found[found >= 0]):
            own = plane[found == cluster]
            if len(own) >= _FEWEST_IN_OUTLINE:
                (xx, xy), (_, yy) = np.cov(own.T)
                outlines.append((feature, cluster, len(own), *own.mean(axis=0), xx, xy, yy))
    columns = ["feature", "found", "n", "x", "y", "xx", "xy", "yy"]
    return {"points": pd.concat(points, ignore_index=True), "outlines": pd.DataFrame(outlines, columns=columns)}


def plane_of_units(
    points: Float[np.ndarray, "spikes dimensions"], unit_index: Int64[np.ndarray, " spikes"]
) -> Float64[np.ndarray, "spikes 2"]:
    """The two directions that part the units best (Fisher's discriminants), in units of the scatter within units.

    With two units the second direction is the main one of what the first leaves; with one, both are principal
    components.
    """
    from sklearn.decomposition import PCA
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    points = np.asarray(points, np.float64)
    wanted = min(2, len(np.unique(unit_index)) - 1)
    if wanted == 0:
        return PCA(2, svd_solver="full").fit_transform(points)
    model = LinearDiscriminantAnalysis(n_components=wanted).fit(points, unit_index)
    plane = model.transform(points)
    if wanted == 2:
        return plane
    direction = np.linalg.lstsq(np.column_stack([points, np.ones(len(points))]), plane[:, 0], rcond=None)[0][:-1]
    direction /= np.linalg.norm(direction)
    rest = points - np.outer(points @ direction, direction)
    return np.column_stack([plane[:, 0], PCA(1, svd_solver="full").fit_transform(rest)[:, 0]])
