"""The embedding of true spikes reduced and clustered in other ways, and snippets denoised before they are embedded."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from jaxtyping import Float, Float32, Int64

from spikeline.artifacts import seed_integer
from spikeline.errors import DataError
from spikeline.openmp import one_openmp_thread
from spikeline.sorting.simsort.detector import GROUP
from spikeline.sorting.simsort.evaluation.clusterings import mixture_units
from spikeline.sorting.simsort.evaluation.cut_spikes import CutSpikes, cut_true_spikes
from spikeline.sorting.simsort.evaluation.features import scatter_within
from spikeline.sorting.simsort.evaluation.network_view import NetworkView
from spikeline.sorting.simsort.evaluation.truth import Truth
from spikeline.sorting.simsort.paper.clustering import (
    dbscan_units,
    mean_shift_units,
    oracle_gaussian_mixture_units,
    oracle_k_means_units,
    oracle_spectral_units,
)
from spikeline.sorting.simsort.paper.reduction import (
    principal_components,
    standardised,
    t_sne_reduced,
    umap_reduced,
)
from spikeline.sorting.simsort.snippets import cut_snippets

if TYPE_CHECKING:
    from spikeline.sorting.simsort.networks import Networks

__all__ = ["CLUSTERERS", "DENOISINGS", "REDUCERS", "clustering_table"]

REDUCERS = ("none", "pca", "umap", "t_sne")
CLUSTERERS = ("mixture", "mean_shift", "dbscan", "told_mixture", "told_k_means", "told_spectral")
DENOISINGS = ("off", "batch", "fixed_basis")

_PAPER_BATCH = 256


def clustering_table(
    view: NetworkView, truth: Truth, networks: Networks, *, name: str, seed: int, most_spikes: int = 1500
) -> pd.DataFrame:
    """Adjusted Rand index of every reducer with every clusterer, and of the sorter's own with every denoising.

    Reducers: ``none``; ``pca``: 5 principal components; ``umap`` and ``t_sne``: 2 dimensions. Clusterers: ``mixture``,
    the sorter's, which finds the number of clusters, knows refractory periods and expects a scatter of 1 within units,
    by which reduced points are divided although no sorter knows it; ``mean_shift``, the published one, and ``dbscan``,
    which leaves spikes out; ``told_mixture``, ``told_k_means`` and ``told_spectral`` are told the true number. Those
    with a length of their own (mean shift's bandwidth, DBSCAN's reach, the width of spectral clustering's affinities)
    see standardised points, as published. Denoisings: see `paper.denoising.denoised`; the basis is fitted on all
    spikes; in batches of 256 in time order.

    Parameters
    ----------
    view, truth
        Of one recording.
    networks
        Of which the identifier is used.
    name
        The recording's.
    seed
        The run's.
    most_spikes
        Of a group of channels, the first in time: the beginning of a long recording, and of one that drifts. Of the
        groups the one with most units is taken.

    Returns
    -------
    pandas.DataFrame
        recording, denoising, reducer, clusterer, ari, n_clusters, n spikes, n_units. Spikes that are left out make one
        more cluster for the index.

    Raises
    ------
    DataError
        If no group of channels has 60 spikes.
    """
    from sklearn.metrics import adjusted_rand_score

    cuts = cut_true_spikes(view, truth, name=name, seed=seed, most_spikes=most_spikes)
    if not cuts:
        raise DataError(
            f"{name} has too few true spikes to be clustered", "60 in one group of channels", "record for longer"
        )
    cut = max(cuts, key=lambda each: len(np.unique(each.unit_index)))
    rows = []
    for denoising, reducer, clusterer, labels in _found(cut, networks, seed_integer(seed, "clusterings", name)):
        rows.append(
            {
                "recording": name,
                "denoising": denoising,
                "reducer": reducer,
                "clusterer": clusterer,
                "ari": float(adjusted_rand_score(cut.unit_index, labels)),
                "n_clusters": len(np.unique(labels[labels >= 0])),
                "n": len(labels),
                "n_units": len(np.unique(cut.unit_index)),
            }
        )
    return pd.DataFrame(rows)


def _found(cut: CutSpikes, networks: Networks, seed: int) -> Iterator[tuple[str, str, str, np.ndarray]]:
    points = networks.embed(cut.traces, cut.peaks)
    for reducer in REDUCERS:
        reduced = _reduced(points, reducer, seed)
        for clusterer in CLUSTERERS:
            yield "off", reducer, clusterer, _clustered(reduced, reducer, clusterer, cut, seed)
    for denoising in DENOISINGS[1:]:
        embedded = _embedded_denoised(cut, networks, denoising)
        yield denoising, "none", "mixture", _clustered(embedded, "none", "mixture", cut, seed)


def _reduced(
    points: Float32[np.ndarray, "spikes dimensions"], reducer: str, seed: int
) -> Float[np.ndarray, "spikes reduced"]:
    if reducer == "none":
        return points
    if reducer == "pca":
        return principal_components(points)
    if reducer == "umap":
        return umap_reduced(points, seed=seed)
    with one_openmp_thread():  # its gradient is a sum over threads
        return t_sne_reduced(points, seed=seed)


def _clustered(
    points: Float[np.ndarray, "spikes dimensions"], reducer: str, clusterer: str, cut: CutSpikes, seed: int
) -> Int64[np.ndarray, " spikes"]:
    if clusterer == "mixture":
        scatter = 1.0 if reducer == "none" else scatter_within(points, cut.unit_index)
        scaled = (points / scatter).astype(np.float32)
        return mixture_units(scaled, cut)
    exact = np.asarray(points, np.float64)
    if clusterer == "mean_shift":
        return mean_shift_units(standardised(exact), seed=seed)
    if clusterer == "dbscan":
        return dbscan_units(standardised(exact))
    n_units = len(np.unique(cut.unit_index))
    if clusterer == "told_spectral":
        return _spectral_units(standardised(exact), n_units, seed)
    tell = oracle_gaussian_mixture_units if clusterer == "told_mixture" else oracle_k_means_units
    return tell(exact, n_units, seed=seed)


def _spectral_units(
    points: Float[np.ndarray, "spikes dimensions"], n_units: int, seed: int
) -> Int64[np.ndarray, " spikes"]:
    with warnings.catch_warnings(), one_openmp_thread():  # it ends in k-means
        # Among many dimensions nearly every affinity is 0: the graph falls into pieces, and few clusters are left.
        warnings.filterwarnings("ignore", "Graph is not fully connected", UserWarning)
        warnings.filterwarnings("ignore", "Number of distinct clusters", UserWarning)
        return oracle_spectral_units(points, n_units, seed=seed)


def _embedded_denoised(cut: CutSpikes, networks: Networks, denoising: str) -> Float32[np.ndarray, "spikes dimensions"]:
    import torch

    from spikeline.sorting.simsort.paper.denoising import denoised, fitted_basis

    snippets = torch.from_numpy(cut_snippets(cut.traces, cut.peaks)).transpose(1, 2)  # as published: samples, channels
    basis = fitted_basis(snippets) if denoising == "fixed_basis" else None
    parts = []
    with torch.inference_mode():
        for start in range(0, len(snippets), _PAPER_BATCH):
            clean = denoised(snippets[start : start + _PAPER_BATCH], denoising, basis).transpose(1, 2)
            seen = torch.zeros(len(clean), GROUP, clean.shape[2])
            seen[:, : clean.shape[1]] = clean
            parts.append(networks.identifier(seen).numpy())
    return np.concatenate(parts)
