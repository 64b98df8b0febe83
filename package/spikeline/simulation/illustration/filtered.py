"""Shared by the figures of recordings: band-passed stretches, mean spikes, noise, of any SpikeInterface recording."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64, Int

from spikeline.errors import DataError

if TYPE_CHECKING:
    from spikeinterface import BaseRecording

__all__ = ["band_passed", "noise_level", "spike_waveforms", "stretch"]


def band_passed(recording: BaseRecording, band_hz: tuple[float, float]) -> BaseRecording:
    """The recording through SpikeInterface's lazy band-pass filter; the upper edge is kept below the Nyquist frequency.

    Raises
    ------
    DataError
        If the band is empty at the recording's sampling rate.
    """
    from spikeinterface.preprocessing import bandpass_filter

    low, high = band_hz[0], min(band_hz[1], 0.49 * recording.sampling_frequency)
    if not 0 < low < high:
        raise DataError(
            f"a band of {band_hz[0]:g}-{band_hz[1]:g} Hz at {recording.sampling_frequency:g} Hz",
            "a band below half the sampling rate",
            "change sorting.filter_hz or recordings.*.sampling_rate_hz",
        )
    return bandpass_filter(recording, freq_min=low, freq_max=high, dtype="float32")


def stretch(recording: BaseRecording, start: int, stop: int) -> Float64[np.ndarray, "{stop}-{start} channels"]:
    """Samples [start, stop), in uV where the recording knows its gain."""
    in_uv = recording.has_scaleable_traces()
    return np.asarray(recording.get_traces(start_frame=start, end_frame=stop, return_in_uV=in_uv), dtype=np.float64)


def noise_level(
    recording: BaseRecording, pieces: int = 100, piece_ms: float = 100.0
) -> Float64[np.ndarray, " channels"]:
    """Noise of each channel as the median absolute deviation / 0.6745, over pieces spread evenly over the recording."""
    total, length = recording.get_num_samples(), round(piece_ms * recording.sampling_frequency / 1000)
    starts = np.unique(np.linspace(0, max(0, total - length), pieces).astype(int))
    seen = np.concatenate([stretch(recording, start, min(start + length, total)) for start in starts])
    # channel by channel: a median of the whole array would hold three copies of it
    return np.array([np.median(np.abs(trace - np.median(trace))) / 0.6745 for trace in seen.T], dtype=np.float64)


def spike_waveforms(
    recording: BaseRecording, spike_samples: Int[np.ndarray, " spikes"], before: int, after: int, most: int = 100
) -> tuple[Float64[np.ndarray, "{before}+{after} channels"], Float64[np.ndarray, "{before}+{after} channels"]]:
    """Mean and standard deviation of at most ``most`` spikes, evenly chosen.

    Spikes whose window leaves the recording are left out; with none left, both are NaN.
    """
    spikes = np.asarray(spike_samples, dtype=np.int64)
    spikes = spikes[(spikes >= before) & (spikes + after <= recording.get_num_samples())]
    shape = (before + after, recording.get_num_channels())
    if len(spikes) == 0:
        return np.full(shape, np.nan), np.full(shape, np.nan)
    chosen = spikes[np.unique(np.linspace(0, len(spikes) - 1, min(most, len(spikes))).astype(int))]
    cut = np.stack([stretch(recording, spike - before, spike + after) for spike in chosen])
    return cut.mean(axis=0), cut.std(axis=0)
