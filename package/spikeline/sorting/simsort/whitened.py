"""A recording as the networks see it: at 10 kHz, whitened, all of it at hand."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Float32
from scipy import signal

from spikeline.errors import DataError
from spikeline.sorting.simsort.noise_stretches import noise_stretches
from spikeline.sorting.simsort.scratch_traces import scratch_traces
from spikeline.sorting.simsort.whitening import fit_whitening

if TYPE_CHECKING:
    import spikeinterface as si

__all__ = ["Resampling", "whitened_traces"]

_BLOCK_S = 10.0
_BLOCK_CHANNELS = 32  # of more, blocks are shorter, so that each thread's fit in its share of memory
_MOST_IN_MEMORY = 2_000_000_000
_REACH = 10  # samples of the slower rate on either side that the anti-alias filter sees
_LARGEST_FACTOR = 1000


class Resampling:
    """From a recording's rate to nearly the wanted one: the nearest simple fraction, and what that is in hertz.

    Parameters
    ----------
    source_hz
        The recording's rate.
    wanted_hz
        What the networks were trained at.

    Raises
    ------
    DataError
        If the recording is so slow that the band of spikes is not in it.
    """

    def __init__(self, source_hz: float, wanted_hz: float, highest_hz: float) -> None:
        if source_hz < 2.2 * highest_hz * (1 - 1e-9):
            raise DataError(
                f"a recording at {source_hz:g} Hz",
                f"at least {2.2 * highest_hz:g} Hz: spikes are looked for up to {highest_hz:g} Hz",
                "record faster, or train networks for a lower band (band_hz)",
            )
        ratio = Fraction(wanted_hz / source_hz).limit_denominator(_LARGEST_FACTOR)
        self.up, self.down = ratio.numerator, ratio.denominator
        self.source_hz, self.rate_hz = source_hz, source_hz * self.up / self.down
        self.margin = -(-_REACH * max(self.up, self.down) // self.up)
        """Samples of the recording on either side that an output depends on."""
        if self.up == self.down:
            return
        slower = max(self.up, self.down)
        self._half = -(-_REACH * slower // self.down) * self.down  # whole output samples of delay
        self._taps = self.up * signal.firwin(2 * self._half + 1, 1.0 / slower, window=("kaiser", 5.0))

    def length(self, n_samples: int) -> int:
        """Samples after resampling."""
        return -(-n_samples * self.up // self.down)

    def to_source(self, samples: Float[np.ndarray, " spikes"]) -> Float[np.ndarray, " spikes"]:
        """Times in samples of the recording."""
        return np.asarray(samples, np.float64) * self.down / self.up

    def block(
        self, read: Callable[[int, int], np.ndarray], n_samples: int, start: int, stop: int
    ) -> Float32[np.ndarray, "window channels"]:
        """Samples [start, stop) after resampling, the same whatever the block.

        Parameters
        ----------
        read
            Gives samples [a, b) of the recording, which has ``n_samples``; without large offsets, which would leave
            through the filter's ripple.
        """
        low = max(0, start * self.down // self.up - self.margin)
        low -= low % self.down  # so that the blocks' phases agree
        high = min(n_samples, -(-stop * self.down // self.up) + self.margin + 1)
        traces = np.asarray(read(low, high), np.float32)
        if self.up == self.down:
            return traces[start - low : stop - low]
        # beyond the recording's ends its last values, so that what is left of an offset makes no step there
        resampled = signal.upfirdn(self._taps, traces, self.up, self.down, axis=0, mode="edge")
        at = start - low // self.down * self.up + self._half // self.down
        return np.ascontiguousarray(resampled[at : at + stop - start], np.float32)


def whitened_traces(
    recording: si.BaseRecording,
    resampling: Resampling,
    band_hz: tuple[float, float],
    *,
    threads: int = 1,
    folder: Path | None = None,
    advance: Callable[[float], None] = lambda share: None,
) -> Float32[np.ndarray, "samples channels"]:
    """Resample and whiten a recording.

    Parameters
    ----------
    recording
        One segment.
    resampling
        To the rate of the networks.
    band_hz
        Nothing outside passes.
    threads
        Blocks that are worked on at a time; changes no result.
    folder
        Where a file holds the traces if they exceed 2 GB (`scratch_traces`); None: always in memory.
    advance
        Told the share that was done.

    Raises
    ------
    DataError
        If the recording is too short, constant, or blank for the most part, or the file system is too small.
    """
    n_source = recording.get_num_samples()
    n_samples, n_channels = resampling.length(n_source), recording.get_num_channels()

    second = min(n_source, round(recording.get_sampling_frequency()))
    offset = np.median(recording.get_traces(start_frame=0, end_frame=second), axis=0).astype(np.float32)

    def read(start: int, stop: int) -> np.ndarray:
        return recording.get_traces(start_frame=start, end_frame=stop) - offset

    noise = noise_stretches(read, resampling, n_source, list(recording.channel_ids))
    whitening = fit_whitening(noise, resampling.rate_hz, band_hz, recording.get_channel_locations())
    del noise
    if folder is not None and 4 * n_samples * n_channels > _MOST_IN_MEMORY:
        out = scratch_traces(folder, n_samples, n_channels)
    else:
        out = np.empty((n_samples, n_channels), np.float32)
    step = int(_BLOCK_S * resampling.rate_hz * min(1.0, _BLOCK_CHANNELS / n_channels))

    def one(start: int) -> None:
        stop = min(start + step, n_samples)
        low, high = max(0, start - whitening.margin), min(n_samples, stop + whitening.margin)
        block = whitening(resampling.block(read, n_source, low, high))
        out[start:stop] = block[start - low : stop - low]
        advance((stop - start) / n_samples)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(one, range(0, n_samples, step)))
    return out
