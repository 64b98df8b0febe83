"""Templates of units, and how they change over the recording: as fast as the spikes themselves say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Int64
from scipy import ndimage

from spikeline.sorting.simsort.snippets import cut_snippets

__all__ = [
    "TEMPLATE_AFTER",
    "TEMPLATE_BEFORE",
    "TemplateTrack",
    "chosen_bandwidth",
    "track_template",
]

TEMPLATE_BEFORE, TEMPLATE_AFTER = 15, 25
_BANDWIDTHS_S = (np.inf, 60.0, 25.0, 10.0, 4.0, 1.5)
_MOST_SPIKES = 1500
_COMPONENTS = 6
_MOST_CHANNELS = 16  # beyond them a spike drowns in the noise of its average
_COMPARED = 8  # channels on which drift is looked for
_FIRST_LOOK = 300  # spikes that say on which channels a unit is seen
_WINDOW = (TEMPLATE_BEFORE, TEMPLATE_AFTER)
_PRIOR = 2.0
_GAIN = 0.98  # of the error, below which a moving average is worth its noise


@dataclass(frozen=True)
class TemplateTrack:
    """A unit's template at the middle of every block.

    Parameters
    ----------
    channels
        On which it is, rising, at most 16; on all others it is 0.
    waveforms
        One per block, or one for all.
    n_spikes
        It was made of.
    bandwidth_s
        Of the average over time; infinite for a unit that stays.
    """

    channels: Int64[np.ndarray, " chosen"]
    waveforms: Float32[np.ndarray, "blocks chosen window"]
    n_spikes: int
    bandwidth_s: float

    @property
    def moves(self) -> bool:
        """Whether it has a waveform of its own in every block."""
        return len(self.waveforms) > 1

    def at(self, block: int) -> Float32[np.ndarray, "chosen window"]:
        """The template in one block."""
        return self.waveforms[block if self.moves else 0]


def _weights(at_s: np.ndarray, times_s: np.ndarray, bandwidth_s: float) -> np.ndarray:
    if np.isinf(bandwidth_s):
        return np.ones((len(at_s), len(times_s)))
    return np.exp(-0.5 * ((at_s[:, None] - times_s[None]) / bandwidth_s) ** 2)


def chosen_bandwidth(snippets: Float[np.ndarray, "spikes values"], times_s: Float[np.ndarray, " spikes"]) -> float:
    """Bandwidth in time with which a spike is predicted best by the others, in seconds; infinite: by all alike.

    Compared on the first principal components, where drift is.
    """
    if len(snippets) < 30:
        return float("inf")
    centred = (snippets - snippets.mean(axis=0)).astype(np.float64)
    _, vectors = np.linalg.eigh(centred.T @ centred)
    scores = centred @ vectors[:, ::-1][:, :_COMPONENTS]
    errors = [_prediction_error(scores, times_s, bandwidth) for bandwidth in _BANDWIDTHS_S]
    best = int(np.argmin(errors))
    return _BANDWIDTHS_S[best] if errors[best] < _GAIN * errors[0] else float("inf")


def _prediction_error(scores: np.ndarray, times_s: np.ndarray, bandwidth_s: float) -> float:
    """Median squared error of predicting each spike by the others, pulled a little to the mean of all, which is 0.

    Spikes are summed in bins of a quarter of the bandwidth, so the cost does not grow with their square.
    """
    if np.isinf(bandwidth_s):
        return float(np.median((scores**2).sum(axis=1)))
    bins = ((times_s - times_s[0]) * 4 / bandwidth_s).astype(np.int64)
    sums, counts = np.zeros((bins[-1] + 1, scores.shape[1])), np.bincount(bins).astype(np.float64)
    np.add.at(sums, bins, scores)
    own = 1 / (4 * np.sqrt(2 * np.pi))  # weight of a bin's own spikes in the filter below
    near = ndimage.gaussian_filter1d(sums, 4.0, axis=0, mode="constant")[bins] - own * scores
    weight = ndimage.gaussian_filter1d(counts, 4.0, mode="constant")[bins] - own
    predicted = near / (weight + _PRIOR * own)[:, None]
    return float(np.median(((scores - predicted) ** 2).sum(axis=1)))


def track_template(
    traces: Float32[np.ndarray, "samples channels"],
    samples: Int64[np.ndarray, " spikes"],
    sampling_rate_hz: float,
    block_middles_s: Float[np.ndarray, " blocks"],
) -> TemplateTrack:
    """Template of one unit from its spikes.

    Parameters
    ----------
    traces
        Whitened.
    samples
        Peaks. More than 1,500: an even choice of them is used.
    sampling_rate_hz
        Of the traces.
    block_middles_s
        Where a template is wanted.
    """
    chosen = samples[np.linspace(0, len(samples) - 1, min(len(samples), _MOST_SPIKES)).astype(np.int64)]
    channels = _loudest(cut_snippets(traces, chosen[:: max(1, len(chosen) // _FIRST_LOOK)], *_WINDOW))
    snippets = cut_snippets(traces, chosen, *_WINDOW, channels)
    flat, times_s = snippets.reshape(len(chosen), -1), chosen / sampling_rate_hz
    mean = flat.mean(axis=0)
    bandwidth = chosen_bandwidth(flat[:, : _COMPARED * snippets.shape[2]], times_s)
    if np.isinf(bandwidth):
        waveforms = mean[None]
    else:
        weights = _weights(block_middles_s, times_s, bandwidth)
        waveforms = (weights @ flat + _PRIOR * mean) / (weights.sum(axis=1, keepdims=True) + _PRIOR)
    rising = np.argsort(channels)
    waveforms = waveforms.reshape(len(waveforms), *snippets.shape[1:])[:, rising]
    return TemplateTrack(channels[rising], np.ascontiguousarray(waveforms, np.float32), len(samples), bandwidth)


def _loudest(snippets: np.ndarray) -> np.ndarray:
    """Channels on which the mean spike is largest, the largest first: on others there is noise alone."""
    energy = (snippets.mean(axis=0) ** 2).sum(axis=1)
    return np.argsort(-energy, kind="stable")[:_MOST_CHANNELS]
