"""A unit's time is where its mean spike peaks in the recording itself: what sorters report, and whitening can move."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64, Int64

if TYPE_CHECKING:
    import spikeinterface as si

__all__ = ["moved_to_peaks"]

_MOST_SPIKES = 200
_REACH_MS = 0.7
_AROUND_MS = 3.0
_BLOCK_S = 1.0  # most that is read at a time
_GAP_S = 0.1  # between two windows, up to which both are read at once: many small reads cost more


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
        Of the recording, rising.
    unit_index
        Whose they are.
    unit_channels
        Best channel of each unit.
    """
    rate, length = recording.get_sampling_frequency(), recording.get_num_samples()
    reach, around = round(_REACH_MS * rate / 1e3), round(_AROUND_MS * rate / 1e3)
    inside = (samples >= around) & (samples < length - around)
    chosen = [_even_choice(samples[inside & (unit_index == unit)]) for unit in range(len(unit_channels))]
    line = np.linspace(-1, 1, 2 * around + 1)
    shifts = np.zeros(len(unit_channels), np.int64)
    for unit, mean in enumerate(_mean_windows(recording, chosen, unit_channels, around)):
        if not len(chosen[unit]):
            continue
        mean = mean - np.median(mean)
        mean -= line * (mean @ line) / (line @ line)
        window = mean[around - reach : around + reach + 1]
        shifts[unit] = int(np.abs(window).argmax()) - reach
    return np.clip(samples + shifts[unit_index], 0, length - 1)


def _even_choice(samples: np.ndarray) -> np.ndarray:
    return samples[np.linspace(0, len(samples) - 1, min(len(samples), _MOST_SPIKES)).astype(np.int64)]


def _mean_windows(
    recording: si.BaseRecording, trains: list[Int64[np.ndarray, " _"]], channels: np.ndarray, around: int
) -> Float64[np.ndarray, "units window"]:
    """Mean of each unit's channel in the windows [t - around, t + around], all units' read together in order of time.

    0 for a unit without times.
    """
    times = np.concatenate([np.empty(0, np.int64), *trains])
    units = np.repeat(np.arange(len(trains)), [len(train) for train in trains])
    order = np.argsort(times, kind="stable")
    times, units = times[order], units[order]
    sums = np.zeros((len(trains), 2 * around + 1))
    for first, last in _blocks(times, 2 * around + 1, recording.get_sampling_frequency()):
        seen, place = np.unique(channels[units[first:last]], return_inverse=True)
        low = int(times[first]) - around
        traces = recording.get_traces(
            start_frame=low, end_frame=int(times[last - 1]) + around + 1, channel_ids=recording.channel_ids[seen]
        )
        for time, unit, column in zip(times[first:last] - around - low, units[first:last], place, strict=True):
            sums[unit] += traces[time : time + sums.shape[1], column]
    return sums / np.maximum([len(train) for train in trains], 1)[:, None]


def _blocks(times: np.ndarray, window: int, rate_hz: float) -> Iterator[tuple[int, int]]:
    """First and one past the last of the windows that are read at once; rising times."""
    first = 0
    for i in range(1, len(times) + 1):
        if (
            i == len(times)
            or times[i] - times[i - 1] - window > _GAP_S * rate_hz
            or times[i] - times[first] + window > _BLOCK_S * rate_hz
        ):
            yield first, i
            first = i
