"""Features by which spikes are told apart: SimSort's embedding, and what is used without a trained network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Float32, Int64

from spikeline.sorting.simsort.evaluation.cut_spikes import CutSpikes

if TYPE_CHECKING:
    from spikeline.sorting.simsort.networks import Networks

__all__ = ["FEATURES", "features_of", "plain_features", "scatter_within"]

FEATURES = ("embedding", "pca", "pca_told", "umap")


def features_of(cut: CutSpikes, networks: Networks, seed: int) -> dict[str, Float32[np.ndarray, "spikes _"]]:
    """Each of `FEATURES` of the same whitened snippets.

    ``embedding``: the identifier's. ``pca``: their first principal components, as many as the embedding has dimensions.
    Both are left as they are; the clustering expects a scatter of 1 within units, and in whitened snippets noise has a
    variance of 1 along each component. ``pca_told``: the components divided by their scatter within true units, which
    nobody who sorts knows. ``umap``: two dimensions by UMAP, divided likewise, because it has no scale of its own.

    Parameters
    ----------
    cut
        Spikes.
    networks
        Of which the identifier is used.
    seed
        Of UMAP.
    """
    from spikeline.sorting.simsort.paper.reduction import umap_reduced

    plane = umap_reduced(cut.snippets(), seed=seed)
    return {**plain_features(cut, networks), "umap": _told(plane, cut)}


def plain_features(cut: CutSpikes, networks: Networks) -> dict[str, Float32[np.ndarray, "spikes _"]]:
    """Those without UMAP, in which nothing is drawn: soon made."""
    from spikeline.sorting.simsort.paper.reduction import principal_components

    embedding, snippets = networks.embed(cut.traces, cut.peaks), cut.snippets()
    components = principal_components(snippets, n_components=min(embedding.shape[1], *snippets.shape))
    return {"embedding": embedding, "pca": components.astype(np.float32), "pca_told": _told(components, cut)}


def _told(points: Float[np.ndarray, "spikes dimensions"], cut: CutSpikes) -> Float32[np.ndarray, "spikes dimensions"]:
    return (points / scatter_within(points, cut.unit_index)).astype(np.float32)


def scatter_within(points: Float[np.ndarray, "spikes dimensions"], unit_index: Int64[np.ndarray, " spikes"]) -> float:
    """Standard deviation around the unit's mean, pooled over units and dimensions."""
    _, index = np.unique(unit_index, return_inverse=True)
    counts = np.bincount(index)
    means = np.stack([np.bincount(index, weights=column) / counts for column in points.T], axis=1)
    squares = ((points - means[index]) ** 2).sum() / points.shape[1]
    return float(np.sqrt(squares / max(len(points) - len(counts), 1)))
