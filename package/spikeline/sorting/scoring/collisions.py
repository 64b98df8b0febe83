"""Spikes that collide: spikes of different units so close in time that their waveforms lie over each other."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Int

__all__ = ["colliding_spikes"]


def colliding_spikes(
    samples: Int[np.ndarray, " spikes"], unit_index: Int[np.ndarray, " spikes"], window: int
) -> Bool[np.ndarray, " spikes"]:
    """Which spikes have a spike of another unit within ``window`` samples, inclusive.

    Parameters
    ----------
    samples
        Sample numbers in ascending order.
    unit_index
        Unit of each spike.
    window
        In samples.
    """
    samples, unit_index = np.asarray(samples), np.asarray(unit_index)
    neighbours = np.searchsorted(samples, samples + window, "right") - np.searchsorted(
        samples, samples - window, "left"
    )
    own = np.zeros(len(samples), dtype=np.int64)
    for unit in np.unique(unit_index):
        here = np.flatnonzero(unit_index == unit)
        train = samples[here]
        own[here] = np.searchsorted(train, train + window, "right") - np.searchsorted(train, train - window, "left")
    return neighbours > own
