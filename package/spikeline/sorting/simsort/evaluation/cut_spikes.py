"""True spikes cut out of whitened traces: what features of single spikes are compared on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64

from spikeline.artifacts import seed_stream
from spikeline.sorting.simsort.evaluation.network_view import NetworkView
from spikeline.sorting.simsort.evaluation.truth import Truth
from spikeline.sorting.simsort.snippets import cut_snippets

__all__ = ["DRAWS", "JITTER", "CutSpikes", "cut_true_spikes"]

DRAWS = 4
"""How often the jitter is drawn: with another, clusters of the same spikes differ, and an index of one draw by 0.1."""

JITTER = (0.2, 0.6, 0.2)
"""Shares of spikes cut one sample before, at, and one after the true peak, about as the detector finds them."""

_FEWEST = 60  # spikes of a group of channels; fewer say nothing about a clustering


@dataclass(frozen=True)
class CutSpikes:
    """True spikes of one group of channels.

    Parameters
    ----------
    traces
        Whitened.
    peaks
        Where each spike is cut, in samples of the traces.
    times
        Rising, in the same samples, for what refractory periods tell; snippets without times are given times far apart.
    rate_hz
        Of the traces.
    unit_index
        Whose they are, an index into all units of the recording.
    """

    traces: Float32[np.ndarray, "samples group"]
    peaks: Int64[np.ndarray, " spikes"]
    times: Int64[np.ndarray, " spikes"]
    rate_hz: float
    unit_index: Int64[np.ndarray, " spikes"]

    def snippets(self) -> Float32[np.ndarray, "spikes values"]:
        """The whitened waveforms the identifier sees, flat."""
        return cut_snippets(self.traces, self.peaks).reshape(len(self.peaks), -1)


def cut_true_spikes(
    view: NetworkView,
    truth: Truth,
    *,
    name: str,
    seed: int = 0,
    most_spikes: int = 3000,
    jitter: tuple[float, float, float] = JITTER,
    draw: int = 0,
) -> list[CutSpikes]:
    """The spikes of each group of channels, those of a unit where its mean spike is largest.

    Parameters
    ----------
    view, truth
        Of one recording.
    name
        The recording's; the jitter is drawn for it.
    seed
        The run's.
    most_spikes
        Of a group of channels: the first in time, so that refractory periods stay visible. Of a recording with more,
        and of its drift, that is only the beginning.
    jitter
        Shares of spikes cut before, at and after the true peak.
    draw
        Number of the draw of the jitter: each moves other spikes.

    Returns
    -------
    list
        Groups with at least 60 spikes.
    """
    stream = seed_stream(seed, "identification-jitter", f"{name}-{draw}")
    peaks = view.from_source(truth.spike_samples) + stream.choice([-1, 0, 1], len(truth.spike_samples), p=jitter)
    home = view.neighbourhoods.home[truth.channels][truth.unit_index]
    cut = []
    for group in range(len(view.neighbourhoods.groups)):
        own = np.flatnonzero(home == group)[:most_spikes]
        if len(own) < _FEWEST:
            continue
        own = own[np.argsort(peaks[own], kind="stable")]
        at = np.clip(peaks[own], 0, len(view.traces) - 1)
        cut.append(CutSpikes(view.group(group), at, at, view.resampling.rate_hz, truth.unit_index[own]))
    return cut
