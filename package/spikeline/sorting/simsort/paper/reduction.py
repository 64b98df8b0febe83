"""Embeddings reduced to the few dimensions that the published sorter clusters in."""

from __future__ import annotations

import warnings

import numpy as np
from jaxtyping import Float

from spikeline.errors import ConfigError, DataError
from spikeline.sorting.simsort.paper.umap_speed import ALL_DISTANCES_BELOW, keep_umaps_kernels, umaps_distances

__all__ = ["principal_components", "standardised", "t_sne_reduced", "umap_reduced"]

_UMAP_NEIGHBOURS = 15
_T_SNE_PERPLEXITY = 30


def umap_reduced(embeddings: Float[np.ndarray, "spikes embedding"], *, seed: int) -> Float[np.ndarray, "spikes 2"]:
    """Two dimensions by UMAP with its defaults.

    Parameters
    ----------
    embeddings
        Of one chunk.
    seed
        Of UMAP's random draws; the published sorter gives none. A seed keeps UMAP to one thread.

    Raises
    ------
    ConfigError
        If umap-learn is not installed.
    DataError
        If there are not more spikes than UMAP looks at neighbours.

    Notes
    -----
    Source: SimSort, released sorting code; UMAP by McInnes, Healy & Melville (2018).
    """
    if len(embeddings) <= _UMAP_NEIGHBOURS:
        raise DataError(
            f"{len(embeddings)} spikes", f"more than {_UMAP_NEIGHBOURS}, UMAP's neighbours", "sort a longer stretch"
        )
    try:
        with warnings.catch_warnings():
            # A part of UMAP that is not used here wants Tensorflow.
            warnings.filterwarnings("ignore", "Tensorflow not installed", ImportWarning)
            from umap import UMAP
    except ImportError as error:
        raise ConfigError(
            f"UMAP cannot be imported ({error})",
            "the package umap-learn, which the published clustering needs",
            "pip install umap-learn, or choose another reduction or clustering",
        ) from error
    keep_umaps_kernels()
    known = len(embeddings) < ALL_DISTANCES_BELOW
    umap = UMAP(
        n_components=2,
        n_neighbors=_UMAP_NEIGHBOURS,
        random_state=seed,
        n_jobs=1,
        metric="precomputed" if known else "euclidean",
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "using precomputed metric", UserWarning)  # what it forbids is not used
        # Units far apart make a graph in pieces, which UMAP lays out one by one.
        warnings.filterwarnings("ignore", "Graph is not fully connected", UserWarning)
        reduced = umap.fit_transform(umaps_distances(embeddings) if known else embeddings)
    return reduced.astype(np.float64)


def principal_components(
    embeddings: Float[np.ndarray, "spikes embedding"], *, n_components: int = 5
) -> Float[np.ndarray, "spikes components"]:
    """The first principal components, 5 as published, in place of UMAP.

    Raises
    ------
    DataError
        If there are fewer spikes, or values in an embedding, than components.

    Notes
    -----
    Source: SimSort, released sorting code.
    """
    if min(embeddings.shape) < n_components:
        raise DataError(
            f"{embeddings.shape[0]} embeddings of {embeddings.shape[1]} values",
            f"at least {n_components} of each",
            "sort a longer stretch, or take fewer components",
        )
    from sklearn.decomposition import PCA

    return PCA(n_components, svd_solver="full").fit_transform(embeddings)


def t_sne_reduced(
    embeddings: Float[np.ndarray, "spikes embedding"], *, n_dimensions: int = 2, seed: int
) -> Float[np.ndarray, "spikes dimensions"]:
    """2 or 3 dimensions by t-SNE, in place of UMAP.

    Raises
    ------
    DataError
        If there are not more spikes than the perplexity, 30.

    Notes
    -----
    Source: SimSort, released sorting code, for the dimensions; scikit-learn's defaults otherwise.
    """
    if len(embeddings) <= _T_SNE_PERPLEXITY:
        raise DataError(
            f"{len(embeddings)} spikes", f"more than {_T_SNE_PERPLEXITY}, t-SNE's perplexity", "sort a longer stretch"
        )
    from sklearn.manifold import TSNE

    reduced = TSNE(n_dimensions, perplexity=_T_SNE_PERPLEXITY, random_state=seed).fit_transform(embeddings)
    return reduced.astype(np.float64)


def standardised(points: Float[np.ndarray, "spikes dimensions"]) -> Float[np.ndarray, "spikes dimensions"]:
    """Each dimension minus its mean, over its standard deviation; what is clustered."""
    from sklearn.preprocessing import StandardScaler

    return StandardScaler().fit_transform(points)
