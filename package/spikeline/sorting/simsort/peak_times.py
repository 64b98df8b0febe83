"""A unit's time is where its mean spike peaks in the recording itself: what sorters report, and whitening can move."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int64

if TYPE_CHECKING:
    import spikeinterface as si

__all__ = ["moved_to_peaks"]

_MOST_SPIKES = 200
_REACH_MS = 0.7
_AROUND_MS = 3.0


def moved_to_peaks(
    recording: si.BaseRecording,
    samples: Int64[np.ndarray, " spikes"],
    unit_index: Int64[np.ndarray, " spikes"],
    unit_channels: Int64[np.ndarray, " units"],
) -> Int64[np.ndarray, " spikes"]:
    """Spikes of each unit moved by one number of samples, so that the mean of 200 peaks at them on its best channel.

    Parameters
    ----------
    recording
        As it was given; slow potentials are taken out by subtracting a line from each spike's surroundings.
    samples
        Of the recording.
    unit_index
        Whose they are.
    unit_channels
        Best channel of each unit.
    """
    rate, length = recording.get_sampling_frequency(), recording.get_num_samples()
    reach, around = round(_REACH_MS * rate / 1e3), round(_AROUND_MS * rate / 1e3)
    out = samples.copy()
    line = np.linspace(-1, 1, 2 * around + 1)
    for unit, channel in enumerate(unit_channels):
        own = np.flatnonzero(unit_index == unit)
        inside = own[(samples[own] >= around) & (samples[own] < length - around)]
        if not len(inside):
            continue
        chosen = samples[inside[np.linspace(0, len(inside) - 1, min(len(inside), _MOST_SPIKES)).astype(np.int64)]]
        name = [recording.channel_ids[channel]]
        mean = np.mean(
            [
                recording.get_traces(start_frame=int(t) - around, end_frame=int(t) + around + 1, channel_ids=name)[:, 0]
                for t in chosen
            ],
            axis=0,
            dtype=np.float64,
        )
        mean -= np.median(mean)
        mean -= line * (mean @ line) / (line @ line)
        window = mean[around - reach : around + reach + 1]
        out[own] += int(np.abs(window).argmax()) - reach
    return np.clip(out, 0, length - 1)
