"""A second look at each cluster: do its spikes, as whitened waveforms, differ by more than noise?

An embedding keeps what tells most units apart, not every pair. Within one cluster the directions in which its spikes
differ most are a better basis, and since noise has variance 1 in every direction, one with more holds something.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Int64

from spikeline.sorting.simsort.mean_spikes import mean_spike
from spikeline.sorting.simsort.merging import merge_clusters
from spikeline.sorting.simsort.mixture import fit_mixture
from spikeline.sorting.simsort.snippets import cut_snippets
from spikeline.sorting.simsort.template_distance import difference

__all__ = ["aligned_peaks", "subdivide"]

_BEFORE, _AFTER = 12, 20
_REACH = 2
_MOST_COMPONENTS = 6
_FEWEST = 60
_DIFFERENT = 4.0
_USUAL_DIP = 4.0  # higher than between the clusters of an embedding: one unit is what is expected here


def aligned_peaks(
    traces: Float32[np.ndarray, "samples channels"], peaks: Int64[np.ndarray, " spikes"]
) -> Int64[np.ndarray, " spikes"]:
    """Peaks moved by up to 2 samples to where each spike is most like the mean of all."""
    wide = cut_snippets(traces, peaks, _BEFORE + _REACH, _AFTER + _REACH)
    window = _BEFORE + _AFTER
    mean = wide[:, :, _REACH : _REACH + window].mean(axis=0)
    for _ in range(2):
        likeness = np.stack(
            [np.einsum("ncw,cw->n", wide[:, :, step : step + window], mean) for step in range(2 * _REACH + 1)]
        )
        best = likeness.argmax(axis=0)
        mean = np.mean([wide[i, :, step : step + window] for i, step in enumerate(best)], axis=0)
    moved = peaks + best - _REACH
    return moved


def subdivide(
    traces: Float32[np.ndarray, "samples channels"],
    peaks: Int64[np.ndarray, " spikes"],
    sampling_rate_hz: float,
) -> list[Int64[np.ndarray, " _"]]:
    """Trains into which a cluster falls; one if it is a single unit.

    Parameters
    ----------
    traces
        Whitened, of the channels the cluster is seen on.
    peaks
        Rising samples.
    sampling_rate_hz
        Of the traces.
    """
    if len(peaks) < _FEWEST:
        return [peaks]
    # Two peaks may be moved to one sample and both stay: they can be of two units, and matching finds all spikes anew
    moved = np.sort(aligned_peaks(traces, peaks))
    snippets = cut_snippets(traces, moved, _BEFORE, _AFTER)
    flat = _without_nuisance(snippets.astype(np.float64), snippets.mean(axis=0).astype(np.float64))
    values, vectors = np.linalg.eigh(flat.T @ flat / len(flat))
    values, vectors = values[::-1], vectors[:, ::-1]
    # largest eigenvalue that noise of this many spikes has (Marchenko-Pastur), in the dimensions of the band
    usual = np.median(values[values > 0.1])
    edge = max(1.0, usual) * (1 + np.sqrt(flat.shape[1] / len(flat))) ** 2
    count = min(int((values > 1.1 * edge).sum()), _MOST_COMPONENTS)
    if count == 0:
        return [moved]
    points = np.ascontiguousarray(flat @ vectors[:, :count] / np.sqrt(max(1.0, usual)), np.float32)
    _, labels = fit_mixture(points)
    labels = merge_clusters(points, labels, moved, sampling_rate_hz, _USUAL_DIP)
    # what belongs to no part stays with the largest: matching will decide
    counts = np.bincount(labels[labels >= 0], minlength=1)
    labels[labels < 0] = counts.argmax()
    return _apart(traces, [moved[labels == part] for part in range(labels.max() + 1)])


def _apart(traces: np.ndarray, parts: list[np.ndarray]) -> list[np.ndarray]:
    """Parts put together again while the mean spikes of two differ by less than a unit's own may."""
    while len(parts) > 1:
        means = [mean_spike(cut_snippets(traces, part, _BEFORE, _AFTER)) for part in parts]
        nearest, pair = np.inf, (0, 1)
        for i in range(len(parts)):
            for j in range(i):
                away = difference(means[i], means[j]).apart
                if away < nearest:
                    nearest, pair = away, (j, i)
        if nearest > _DIFFERENT:
            break
        parts[pair[0]] = np.sort(np.concatenate([parts[pair[0]], parts.pop(pair[1])]))
    return parts


def _without_nuisance(snippets: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Snippets (spikes, values) around their median, less all that a change of size or time of the mean could make."""
    slope = np.gradient(mean, axis=1)
    directions = np.stack([part.ravel() for part in (mean, slope, np.gradient(slope, axis=1))], axis=1)
    basis = np.linalg.qr(directions)[0]
    flat = snippets.reshape(len(snippets), -1)
    flat = flat - np.median(flat, axis=0)
    return flat - (flat @ basis) @ basis.T
