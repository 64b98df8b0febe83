"""How well clusters of each feature agree with true units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from jaxtyping import Bool

from spikeline.sorting.simsort.evaluation.clusterings import CLUSTERINGS, clusterings_of, mixture_units
from spikeline.sorting.simsort.evaluation.cut_spikes import CutSpikes
from spikeline.sorting.simsort.evaluation.features import FEATURES, features_of

if TYPE_CHECKING:
    from spikeline.sorting.simsort.networks import Networks

__all__ = ["ClusteredSpikes", "cluster_spikes", "identification_scores"]


@dataclass(frozen=True)
class ClusteredSpikes:
    """Spikes of one group of channels with all that was made of them.

    Parameters
    ----------
    cut
        The spikes.
    features
        Feature -> points (`features.features_of`).
    found
        Feature, clustering -> cluster of every spike (`clusterings.clusterings_of`).
    """

    cut: CutSpikes
    features: Mapping[str, np.ndarray]
    found: Mapping[tuple[str, str], np.ndarray]


def cluster_spikes(cut: CutSpikes, networks: Networks, seed: int) -> ClusteredSpikes:
    """Give every feature of the spikes to every clustering."""
    features, n_units = features_of(cut, networks, seed), len(np.unique(cut.unit_index))
    found = {
        (feature, clustering): labels
        for feature, points in features.items()
        if feature != "pca_told"
        for clustering, labels in clusterings_of(feature, points, cut, n_units, seed).items()
    }
    # Where nothing but proportions counts, as in the published clusterings, to be told the scatter changes nothing.
    found |= {("pca_told", clustering): found["pca", clustering] for clustering in CLUSTERINGS}
    found["pca_told", "mixture"] = mixture_units(features["pca_told"], cut)
    return ClusteredSpikes(cut, features, found)


def identification_scores(groups: Sequence[ClusteredSpikes], large: Bool[np.ndarray, " units"]) -> pd.DataFrame:
    """Adjusted Rand index of every feature and clustering, over all groups of channels of a recording together.

    Parameters
    ----------
    groups
        Clusters of different groups are different clusters.
    large
        Units that have an index of their own, over their spikes alone.

    Returns
    -------
    pandas.DataFrame
        feature, clustering, ari, ari_large (NaN without large units), n spikes, n_units, n_units_large, n_clusters.
        Spikes of no cluster (-1) make one more for the index: not to assign a spike is to err.
    """
    from sklearn.metrics import adjusted_rand_score

    truth = np.concatenate([group.cut.unit_index for group in groups])
    of_large, units = large[truth], np.unique(truth)
    rows = []
    for feature in FEATURES:
        for clustering in CLUSTERINGS:
            parts = [group.found[feature, clustering] for group in groups]
            counts = [int(labels.max(initial=-1)) + 1 for labels in parts]
            before = np.concatenate([[0], np.cumsum(np.array(counts) + 1)])
            labels = np.concatenate([labels + 1 + start for labels, start in zip(parts, before, strict=False)])
            rows.append(
                {
                    "feature": feature,
                    "clustering": clustering,
                    "ari": float(adjusted_rand_score(truth, labels)),
                    "ari_large": float(adjusted_rand_score(truth[of_large], labels[of_large]))
                    if of_large.any()
                    else np.nan,
                    "n": len(truth),
                    "n_units": len(units),
                    "n_units_large": int(large[units].sum()),
                    "n_clusters": sum(counts),
                }
            )
    return pd.DataFrame(rows)
