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
from spikeline.sorting.simsort.evaluation.features import FEATURES, features_of, plain_features
from spikeline.sorting.simsort.evaluation.rand_index import adjusted_rand_index

if TYPE_CHECKING:
    from spikeline.sorting.simsort.networks import Networks

__all__ = [
    "ClusteredSpikes",
    "cluster_spikes",
    "cluster_spikes_again",
    "identification_scores",
    "mean_over_draws",
]


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


def cluster_spikes_again(cut: CutSpikes, networks: Networks) -> ClusteredSpikes:
    """Give the features in which nothing is drawn to the sorter's own clustering: what is soon done for another cut."""
    features = plain_features(cut, networks)
    return ClusteredSpikes(
        cut, features, {(name, "mixture"): mixture_units(points, cut) for name, points in features.items()}
    )


def identification_scores(groups: Sequence[ClusteredSpikes], large: Bool[np.ndarray, " units"]) -> pd.DataFrame:
    """Adjusted Rand index of every feature and clustering, over all groups of channels of a recording together.

    Parameters
    ----------
    groups
        All with the same features and clusterings.
    large
        Units that have an index of their own, over their spikes alone.

    Returns
    -------
    pandas.DataFrame
        feature, clustering, ari, ari_large (NaN without large units; `rand_index.adjusted_rand_index`), n spikes,
        n_units, n_units_large, n_clusters.
    """
    truth = [group.cut.unit_index for group in groups]
    units = np.unique(np.concatenate(truth))
    facts = {
        "n": sum(map(len, truth)),
        "n_units": len(units),
        "n_units_large": int(large[units].sum()),
    }
    rows = []
    for feature in FEATURES:
        for clustering in CLUSTERINGS:
            if (feature, clustering) not in groups[0].found:
                continue
            found = [group.found[feature, clustering] for group in groups]
            index = {
                "ari": adjusted_rand_index(truth, found),
                "ari_large": adjusted_rand_index(truth, found, large),
            }
            count = sum(int(labels.max(initial=-1)) + 1 for labels in found)
            rows.append({"feature": feature, "clustering": clustering, **index, **facts, "n_clusters": count})
    return pd.DataFrame(rows)


def mean_over_draws(scores: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Means of the indices and of the number of clusters over several draws of the jitter.

    Parameters
    ----------
    scores
        Tables of `identification_scores`, the first with all features and clusterings.

    Returns
    -------
    pandas.DataFrame
        The same columns, then ari_sd (over draws, NaN where there is one) and draws.
    """
    keys = ["feature", "clustering"]
    together = pd.concat(scores).groupby(keys, sort=False)
    means = together[["ari", "ari_large", "n_clusters"]].mean()
    out = scores[0].set_index(keys).assign(**means, ari_sd=together["ari"].std(), draws=together.size())
    return out.reset_index()
