"""What a recording's noise is measured on: stretches from all over it, without what amplifiers left blank."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float, Float32, Shaped

from spikeline.errors import DataError

if TYPE_CHECKING:
    from spikeline.sorting.simsort.whitened import Resampling

__all__ = ["blank_samples", "noise_stretches"]

_STRETCHES, _STRETCH_S = 20, 2.0
_SHORTEST_BLANK_S, _SHORTEST_BLANK = 0.002, 32  # no noise stays at one value so long, however coarse the converter
_LEAST_S, _LEAST_SHARE = 1.0, 0.5


def blank_samples(
    traces: Shaped[np.ndarray, "samples channels"], shortest: int
) -> Bool[np.ndarray, "samples channels"]:
    """Samples of runs of at least ``shortest`` equal values: blanked, saturated or cut off."""
    blank = np.zeros(traces.shape, bool)
    for channel, trace in enumerate(traces.T):
        edges = np.concatenate([[0], np.flatnonzero(trace[1:] != trace[:-1]) + 1, [len(trace)]])
        for run in np.flatnonzero(np.diff(edges) >= shortest):
            blank[edges[run] : edges[run + 1], channel] = True
    return blank


def noise_stretches(
    read: Callable[[int, int], Float[np.ndarray, "samples channels"]],
    resampling: Resampling,
    n_source: int,
    channel_ids: Sequence[object],
) -> Float32[np.ndarray, "samples channels"]:
    """Some stretches of a recording, one after the other, resampled.

    What is blank on any channel is left out, or an hour of silence would pass for the noise; a channel that is blank in
    all of it is none of the recording's and does not count.

    Parameters
    ----------
    read
        Gives samples [a, b) of the recording, which has ``n_source``.
    resampling
        To the rate of the networks.
    channel_ids
        Names of the channels, for the message.

    Raises
    ------
    DataError
        If less than half of what was looked at is left, and less than a second of it.
    """
    n_samples, length = resampling.length(n_source), int(_STRETCH_S * resampling.rate_hz)
    count = min(_STRETCHES, max(1, n_samples // length))
    starts = np.linspace(0, max(0, n_samples - length), count).astype(np.int64)
    ranges = [(int(start), int(min(start + length, n_samples))) for start in starts]
    parts = [_stretch(read, resampling, n_source, *part) for part in ranges]
    stretches, blank = (np.concatenate(of_parts) for of_parts in zip(*parts, strict=True))
    share = blank.mean(axis=0)
    heard = ~blank[:, share < 1].any(axis=1)
    if heard.all():
        return stretches
    if heard.sum() < min(_LEAST_S * resampling.rate_hz, _LEAST_SHARE * len(heard)):
        parts = ", ".join(f"{channel_ids[at]}: {share[at]:.0%}" for at in np.flatnonzero(share))
        left, all_s = heard.sum() / resampling.rate_hz, len(heard) / resampling.rate_hz
        raise DataError(
            f"channels keep to one value (blanked, saturated or cut off) for so long that {left:.2g} of {all_s:.3g} s "
            f"looked at are left ({parts})",
            "enough noise to measure, on all channels at the same time",
            "remove these channels, or sort the part of the recording in which they record (frame_slice)",
        )
    return stretches[heard]


def _stretch(
    read: Callable[[int, int], np.ndarray], resampling: Resampling, n_source: int, start: int, stop: int
) -> tuple[Float32[np.ndarray, "samples channels"], Bool[np.ndarray, "samples channels"]]:
    """Resampled samples, and whether anything blank is within the reach of each."""
    seen: list[tuple[int, np.ndarray]] = []

    def kept(first: int, last: int) -> np.ndarray:
        seen.append((first, read(first, last)))
        return seen[-1][1]

    resampled = resampling.block(kept, n_source, start, stop)
    [(low, source)] = seen  # read once: that may mean to decompress or to filter it
    shortest = max(_SHORTEST_BLANK, round(_SHORTEST_BLANK_S * resampling.source_hz))
    until = np.cumsum(np.pad(blank_samples(source, shortest), ((1, 0), (0, 0))), axis=0)
    at = np.rint(resampling.to_source(np.arange(start, stop, dtype=np.float64))).astype(np.int64) - low
    first, last = (np.clip(at + reach, 0, len(source)) for reach in (-resampling.margin, resampling.margin + 1))
    return resampled, until[last] > until[first]
