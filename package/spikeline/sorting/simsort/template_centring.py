"""Trains whose mean spike is another's: spikes that a larger unit's closely followed, or came shortly after one.

Where two spikes overlap the clustering sees a shape of its own, and a few dozen alike make a cluster. Its mean spike is
then the larger unit's, up to two milliseconds away from the times of the train. As a template it would explain the
larger unit's spikes as well as its own template does, and take a part of them.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Int64

from spikeline.sorting.simsort.mean_spikes import MeanSpike, mean_spikes
from spikeline.sorting.simsort.templates import TEMPLATE_BEFORE

__all__ = ["centred"]

_OFF = 7  # samples; detection and whitening move a unit's own peak by less
_TURNS = 3  # a peak near the end of the window may still rise beyond it


def centred(
    traces: Float32[np.ndarray, "samples channels"], trains: list[Int64[np.ndarray, " _"]]
) -> tuple[list[Int64[np.ndarray, " _"]], list[MeanSpike]]:
    """Trains moved to the peak of their mean spike where it is more than 7 samples away, and the mean spikes there.

    Parameters
    ----------
    traces
        Whitened.
    trains
        Rising samples of each unit.
    """
    trains, means = list(trains), mean_spikes(traces, trains)
    for _ in range(_TURNS):
        away = {unit: off for unit, mean in enumerate(means) if abs(off := _peak(mean) - TEMPLATE_BEFORE) > _OFF}
        if not away:
            break
        for unit, off in away.items():
            moved = trains[unit] + off
            trains[unit] = moved[(moved >= 0) & (moved < len(traces))]
        for unit, mean in zip(away, mean_spikes(traces, [trains[unit] for unit in away]), strict=True):
            means[unit] = mean
    return trains, means


def _peak(mean: MeanSpike) -> int:
    """Where in the window the channel with the most energy peaks."""
    loudest = mean.waveform[(mean.waveform**2).sum(axis=1).argmax()]
    return int(np.abs(loudest).argmax())
