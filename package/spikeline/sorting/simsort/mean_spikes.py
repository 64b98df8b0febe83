"""Plain mean spikes of units, and how much of them is noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Float64, Int64

from spikeline.sorting.simsort.snippets import cut_snippets
from spikeline.sorting.simsort.templates import TEMPLATE_AFTER, TEMPLATE_BEFORE

__all__ = ["MeanSpike", "mean_spike", "mean_spikes"]

_AVERAGED = 500


@dataclass(frozen=True)
class MeanSpike:
    """The mean of some spikes.

    Parameters
    ----------
    waveform
        Whitened.
    noise
        Energy (sum of squares) on each channel that is left of the noise after averaging, and of all else that differs
        from spike to spike: the spikes' variance over their number.
    """

    waveform: Float32[np.ndarray, "channels window"]
    noise: Float64[np.ndarray, " channels"]

    @property
    def energy(self) -> float:
        """Of the waveform without noise."""
        return max(float((self.waveform.astype(np.float64) ** 2).sum() - self.noise.sum()), 0.0)


def mean_spike(snippets: Float[np.ndarray, "spikes channels window"]) -> MeanSpike:
    """Of a single spike all is taken for noise."""
    if len(snippets) == 1:
        return MeanSpike(snippets[0].astype(np.float32), (snippets[0].astype(np.float64) ** 2).sum(axis=1))
    variance = snippets.var(axis=0, ddof=1, dtype=np.float64)
    return MeanSpike(snippets.mean(axis=0, dtype=np.float64).astype(np.float32), variance.sum(axis=1) / len(snippets))


def mean_spikes(
    traces: Float32[np.ndarray, "samples channels"], trains: list[Int64[np.ndarray, " _"]], most: int = _AVERAGED
) -> list[MeanSpike]:
    """Mean spike of every unit, from an even choice of at most ``most`` of its spikes."""
    return [
        mean_spike(cut_snippets(traces, train[:: -(-len(train) // most)], TEMPLATE_BEFORE, TEMPLATE_AFTER))
        for train in trains
    ]
