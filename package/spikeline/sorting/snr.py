"""How far each true unit stands above the noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64, Int64

from spikeline.errors import DataError
from spikeline.simulation.illustration.filtered import band_passed, noise_level
from spikeline.sorting.sorting_file import spikes_of

if TYPE_CHECKING:
    import spikeinterface as si

__all__ = ["MeanWaveforms", "UnitPeak", "mean_waveforms", "signal_to_noise", "unit_peaks"]

_CHUNK_S = 10.0
_PEAK_WINDOW_MS = (-1.0, 1.0)


@dataclass(frozen=True)
class MeanWaveforms:
    """Mean waveform of each unit.

    Parameters
    ----------
    mean, sd
        Mean and standard deviation over the spikes; NaN for a unit without spikes.
    count
        Spikes whose window lies inside the recording.
    time_ms
        Relative to the spike.
    """

    mean: Float64[np.ndarray, "units samples channels"]
    sd: Float64[np.ndarray, "units samples channels"]
    count: Int64[np.ndarray, " units"]
    time_ms: Float64[np.ndarray, " samples"]


def _scaled(recording: si.BaseRecording, start: int, stop: int) -> np.ndarray:
    """(n, n_channels) float32 in uV where the recording has gains, as stored otherwise."""
    return recording.get_traces(
        start_frame=start, end_frame=stop, return_in_uV=recording.has_scaleable_traces()
    ).astype(np.float32)


def mean_waveforms(
    recording: si.BaseRecording, sorting: si.BaseSorting, window_ms: tuple[float, float] = (-1.0, 2.0)
) -> MeanWaveforms:
    """Mean waveform of each unit over all its spikes; reads the traces once, in stretches of 10 s.

    Parameters
    ----------
    recording
        Already filtered.
    sorting
        Of the same sampling rate.
    window_ms
        Around each spike; spikes nearer to an end of the recording are left out.

    Raises
    ------
    DataError
        If the sampling rates differ or a spike lies outside the recording.
    """
    rate, n_samples = recording.get_sampling_frequency(), recording.get_num_samples()
    if sorting.get_sampling_frequency() != rate:
        raise DataError(
            f"the sorting is sampled at {sorting.get_sampling_frequency():g} Hz, the recording at {rate:g} Hz",
            "one rate",
            "check that they belong together",
        )
    samples, index, unit_ids = spikes_of(sorting)
    if len(samples) and not 0 <= samples[0] <= samples[-1] < n_samples:
        raise DataError(
            f"spikes at samples {samples[0]} to {samples[-1]} of a recording of {n_samples}",
            "spikes inside it",
            "check that they belong together",
        )
    before, after = round(-window_ms[0] * rate / 1000), round(window_ms[1] * rate / 1000)
    inside = (samples >= before) & (samples + after <= n_samples)
    samples, index = samples[inside], index[inside]
    shape = (len(unit_ids), before + after, recording.get_num_channels())
    total, squares = np.zeros(shape), np.zeros(shape)
    step = int(_CHUNK_S * rate)
    for start in range(0, n_samples, step):
        first, last = np.searchsorted(samples, [start, start + step])
        if first == last:
            continue
        low = max(0, start - before)
        traces = _scaled(recording, low, min(n_samples, start + step + after)).astype(float)
        windows = np.lib.stride_tricks.sliding_window_view(traces, before + after, axis=0)
        for unit in np.unique(index[first:last]):
            waves = windows[
                samples[first:last][index[first:last] == unit] - before - low
            ]  # (spikes, channels, samples)
            total[unit] += waves.sum(axis=0).T
            squares[unit] += (waves**2).sum(axis=0).T
    count = np.bincount(index, minlength=len(unit_ids))
    divisor = np.where(count > 0, count, np.nan)[:, None, None]
    mean = total / divisor
    sd = np.sqrt(np.maximum(squares / divisor - mean**2, 0))
    return MeanWaveforms(mean, sd, count, np.arange(-before, after) * 1000 / rate)


@dataclass(frozen=True)
class UnitPeak:
    """The peak of a unit's mean filtered waveform.

    Parameters
    ----------
    snr
        See `signal_to_noise`; NaN for a unit without spikes.
    offset
        Samples from the spike's time to the peak; 0 for a unit without spikes.
    channel
        Index of the channel it lies on; 0 for a unit without spikes.
    """

    snr: float
    offset: int
    channel: int = 0


def unit_peaks(
    recording: si.BaseRecording, sorting: si.BaseSorting, band_hz: tuple[float, float]
) -> dict[str, UnitPeak]:
    """The peak of each unit's mean waveform: its largest deviation from zero, of either sign, on any channel.

    Parameters
    ----------
    recording
        Unfiltered.
    sorting
        True (or found) units.
    band_hz
        Band of the zero-phase Butterworth filter (order 5, SpikeInterface's default).

    Returns
    -------
    dict
        By unit id (text).
    """
    filtered = band_passed(recording, band_hz)
    noise, waves = noise_level(filtered), mean_waveforms(filtered, sorting, _PEAK_WINDOW_MS)
    centre = int(np.argmin(np.abs(waves.time_ms)))
    result = {}
    for unit, wave, count in zip(sorting.unit_ids, waves.mean, waves.count, strict=True):
        if count == 0:
            result[str(unit)] = UnitPeak(float("nan"), 0)
            continue
        at, best = np.unravel_index(np.abs(wave).argmax(), wave.shape)
        snr = float(abs(wave[at, best]) / noise[best]) if noise[best] > 0 else float("nan")
        result[str(unit)] = UnitPeak(snr, int(at) - centre, int(best))
    return result


def signal_to_noise(
    recording: si.BaseRecording, sorting: si.BaseSorting, band_hz: tuple[float, float]
) -> dict[str, float]:
    """Signal-to-noise ratio of each unit, as SpikeInterface defines it.

    The peak of the unit's mean filtered waveform within 1 ms of the spike (`unit_peaks`), divided by its channel's
    noise: 1.4826 times the median absolute deviation of the filtered trace.

    Returns
    -------
    dict
        Unit id (text) -> SNR; NaN for a unit without spikes.
    """
    return {unit: peak.snr for unit, peak in unit_peaks(recording, sorting, band_hz).items()}
