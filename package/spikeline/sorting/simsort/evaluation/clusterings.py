"""Clusterings that every feature is given to: the sorter's own and the published ones."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Int64

from spikeline.sorting.simsort.evaluation.cut_spikes import CutSpikes
from spikeline.sorting.simsort.merging import CHANCE_DIP, merge_clusters
from spikeline.sorting.simsort.mixture import fit_mixture
from spikeline.sorting.simsort.paper.clustering import mean_shift_units, oracle_gaussian_mixture_units
from spikeline.sorting.simsort.paper.reduction import standardised, umap_reduced

__all__ = ["CLUSTERINGS", "clusterings_of", "mixture_units"]

CLUSTERINGS = ("mixture", "mean_shift", "oracle_mixture")


def mixture_units(points: Float32[np.ndarray, "spikes dimensions"], cut: CutSpikes) -> Int64[np.ndarray, " spikes"]:
    """The default sorter's clusters of points with a scatter of about 1 within units; -1: of none.

    The sorter puts parts of units together twice: clusters here, then, more freely, templates. Features alone have no
    templates, so clusters stay apart only where the dip between them is more than chance.
    """
    return merge_clusters(points, fit_mixture(points)[1], cut.times, cut.rate_hz, CHANCE_DIP)


def clusterings_of(
    feature: str, points: Float32[np.ndarray, "spikes dimensions"], cut: CutSpikes, n_units: int, seed: int
) -> dict[str, Int64[np.ndarray, " spikes"]]:
    """Cluster of every spike by each of `CLUSTERINGS`.

    ``mixture``: the default sorter's, which finds the number of clusters and knows refractory periods
    (`mixture_units`).
    ``mean_shift``: the published sorter's, on two dimensions by UMAP (`paper.clustering.paper_units`).
    ``oracle_mixture``: the published identification score's, on the same two dimensions, told the number of units.

    Parameters
    ----------
    feature
        ``umap`` has its two dimensions already.
    points
        Scatter about 1 within units.
    cut
        The spikes.
    n_units
        True number.
    seed
        Of UMAP and of the published clusterings. The mixture draws nothing.
    """
    plane = points if feature == "umap" else umap_reduced(points, seed=seed)
    plane = np.asarray(plane, np.float64)
    return {
        "mixture": mixture_units(points, cut),
        "mean_shift": mean_shift_units(standardised(plane), seed=seed),
        "oracle_mixture": oracle_gaussian_mixture_units(plane, n_units, seed=seed),
    }
