"""The published clusterings of reduced, standardised embeddings (`reduction`).

Functions whose name begins with ``oracle_`` are told the true number of units, which a recording does not tell: what
they find says how far the embeddings separate units, not how well a sorter sorts.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int64

from spikeline.errors import ConfigError, DataError, NumericalError
from spikeline.openmp import one_openmp_thread
from spikeline.sorting.simsort.paper.flat_mean_shift import mean_shift_labels
from spikeline.sorting.simsort.paper.reduction import standardised, umap_reduced

__all__ = [
    "NOISE",
    "TOOL_QUANTILE",
    "dbscan_units",
    "mean_shift_units",
    "oracle_gaussian_mixture_units",
    "oracle_k_means_units",
    "oracle_spectral_units",
    "paper_units",
]

NOISE = -1
TOOL_QUANTILE = 0.12
_BANDWIDTH_SAMPLES = 500
_DBSCAN_EPS = 0.15
_DBSCAN_MIN_SAMPLES = 20


def _check(points: np.ndarray, n_clusters: int = 1) -> None:
    if not np.isfinite(points).all():
        raise NumericalError("points that are not finite", "numbers", "check the traces and the weights")
    if not 1 <= n_clusters <= len(points):
        raise DataError(
            f"{len(points)} spikes for {n_clusters} units", "at least one spike per unit", "sort a longer stretch"
        )


def mean_shift_units(
    points: Float[np.ndarray, "spikes dimensions"], *, quantile: float = TOOL_QUANTILE, seed: int
) -> Int64[np.ndarray, " spikes"]:
    """Unit of each spike by mean shift; the bandwidth is a quantile of the distances between 500 of the points.

    Its time grows with the square of the number of spikes.

    Parameters
    ----------
    points
        Standardised.
    quantile
        Which fixes the number of units, and is chosen per data set in the published scripts: 0.12 in the tool
        (`TOOL_QUANTILE`), 0.04 for hybrid recordings.
    seed
        Of the choice of the 500 points.

    Raises
    ------
    ConfigError
        If the quantile does not lie between 0 and 1.
    NumericalError
        If the bandwidth is 0 (the points lie on each other), or points are not finite.

    Notes
    -----
    Source: SimSort, released sorting code.
    """
    from sklearn.cluster import estimate_bandwidth

    if not 0 < quantile <= 1:
        raise ConfigError(f"a quantile of {quantile}", "above 0, at most 1", f"{TOOL_QUANTILE} is the tool's")
    _check(points)
    bandwidth = estimate_bandwidth(points, quantile=quantile, n_samples=_BANDWIDTH_SAMPLES, random_state=seed)
    if not bandwidth > 0:
        raise NumericalError(
            f"a bandwidth of {bandwidth} from {len(points)} points",
            "above 0",
            "raise the quantile, or check that the snippets differ",
        )
    return mean_shift_labels(points, bandwidth)


def paper_units(
    embeddings: Float[np.ndarray, "spikes embedding"], *, quantile: float = TOOL_QUANTILE, seed: int
) -> Int64[np.ndarray, " spikes"]:
    """Unit of each spike of one chunk: UMAP to 2 dimensions, standardised, mean shift.

    Parameters
    ----------
    embeddings
        Of the identifier.
    quantile
        See `mean_shift_units`.
    seed
        Of UMAP and of the bandwidth.

    Raises
    ------
    ConfigError, DataError, NumericalError
        See `reduction.umap_reduced` and `mean_shift_units`.

    Notes
    -----
    Source: SimSort, released sorting code; chunks are 3,000,000 samples there, and nothing links their units.
    """
    return mean_shift_units(standardised(umap_reduced(embeddings, seed=seed)), quantile=quantile, seed=seed)


def dbscan_units(points: Float[np.ndarray, "spikes dimensions"]) -> Int64[np.ndarray, " spikes"]:
    """Unit of each spike by DBSCAN with eps 0.15 and 20 samples; `NOISE` where there is none.

    Notes
    -----
    Source: SimSort, released sorting code.
    """
    from sklearn.cluster import DBSCAN

    _check(points)
    return DBSCAN(eps=_DBSCAN_EPS, min_samples=_DBSCAN_MIN_SAMPLES).fit(points).labels_.astype(np.int64)


def oracle_gaussian_mixture_units(
    points: Float[np.ndarray, "spikes dimensions"], n_true_units: int, *, seed: int
) -> Int64[np.ndarray, " spikes"]:
    """Unit of each spike by a Gaussian mixture that is told the true number of units.

    Raises
    ------
    DataError
        If there are fewer spikes than units.

    Notes
    -----
    Source: SimSort, released sorting and identification code; this is what its identification score (ARI) clusters by.
    """
    from sklearn.mixture import GaussianMixture

    _check(points, n_true_units)
    return GaussianMixture(n_true_units, random_state=seed).fit_predict(points).astype(np.int64)


def oracle_k_means_units(
    points: Float[np.ndarray, "spikes dimensions"], n_true_units: int, *, seed: int
) -> Int64[np.ndarray, " spikes"]:
    """Unit of each spike by k-means that is told the true number of units.

    Raises
    ------
    DataError
        If there are fewer spikes than units.

    Notes
    -----
    Source: SimSort, released sorting code.
    """
    from sklearn.cluster import KMeans

    _check(points, n_true_units)
    with one_openmp_thread():
        return KMeans(n_true_units, random_state=seed).fit_predict(points).astype(np.int64)


def oracle_spectral_units(
    points: Float[np.ndarray, "spikes dimensions"], n_true_units: int, *, seed: int
) -> Int64[np.ndarray, " spikes"]:
    """Unit of each spike by spectral clustering that is told the true number of units.

    Its affinities fill a matrix of spikes by spikes.

    Raises
    ------
    DataError
        If there are fewer spikes than units.

    Notes
    -----
    Source: SimSort, released sorting code.
    """
    from sklearn.cluster import SpectralClustering

    _check(points, n_true_units)
    return SpectralClustering(n_true_units, random_state=seed).fit_predict(points).astype(np.int64)
