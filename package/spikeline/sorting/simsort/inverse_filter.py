"""From the spectrum of a recording's noise to the filter that makes it white, whoever measured the spectrum."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float32, Int64
from scipy import signal

from spikeline.errors import DataError

__all__ = [
    "SEGMENT",
    "constant_channels",
    "inverse_filter",
    "power_density",
    "spectrum_window",
    "steadying_filter",
    "window_starts",
]

SEGMENT = 128
"""Samples of a window of the spectrum."""
_MOST_WINDOWS = 3000
_GAIN_RANGE = 5.0


def constant_channels() -> DataError:
    """What is said of traces without noise."""
    return DataError("every channel is constant", "traces with a signal", "check the file and its data type")


def steadying_filter(sampling_rate_hz: float, band_hz: tuple[float, float]) -> Float[np.ndarray, "sections 6"]:
    """Takes slow potentials away before the spectrum is measured; run forward and backward."""
    return signal.butter(3, band_hz[0], "highpass", fs=sampling_rate_hz, output="sos")


def inverse_filter(
    frequency: Float[np.ndarray, " frequencies"],
    power: Float[np.ndarray, "frequencies channels"],
    sampling_rate_hz: float,
    band_hz: tuple[float, float],
) -> tuple[Float32[np.ndarray, " taps"], float]:
    """The filter that makes noise of this power density white in the band, and the share of the spectrum it lets pass.

    Raises
    ------
    DataError
        If no channel has power in the band.
    """
    low, high = band_hz
    usual = np.median(power[:, power.sum(axis=0) > 0], axis=1) if (power.sum(axis=0) > 0).any() else power[:, 0]
    inside = (frequency >= low) & (frequency <= high)
    if not usual[inside].max(initial=0) > 0:
        raise constant_channels()
    usual = np.maximum(usual, usual[inside].max() / _GAIN_RANGE**2)
    usual[frequency < low] = usual[inside][0]
    usual[frequency > high] = usual[inside][-1]
    taps = 2 * SEGMENT + 1
    grid = np.linspace(0, sampling_rate_hz / 2, 513)
    gain = 1 / np.sqrt(np.interp(grid, frequency, usual) * sampling_rate_hz / 2)
    passed = np.clip((grid - 0.8 * low) / (0.4 * low), 0, 1) * np.clip((high * 1.05 - grid) / (0.1 * high), 0, 1)
    gain *= passed
    impulse = np.fft.irfft(gain)
    kernel = np.roll(impulse, taps // 2)[:taps] * signal.windows.hann(taps)
    return kernel.astype(np.float32), float((passed**2).mean())


def window_starts(n_samples: int) -> Int64[np.ndarray, " windows"]:
    """Where the windows begin over which the spectrum is the median."""
    starts = np.arange(0, n_samples - SEGMENT + 1, SEGMENT // 2)
    return starts[:: max(1, len(starts) // _MOST_WINDOWS)]


def spectrum_window() -> Float32[np.ndarray, " samples"]:
    """What each window is multiplied by."""
    return signal.windows.hann(SEGMENT, sym=False).astype(np.float32)


def power_density(
    median: Float[np.ndarray, "frequencies channels"], sampling_rate_hz: float
) -> tuple[Float[np.ndarray, " frequencies"], Float[np.ndarray, "frequencies channels"]]:
    """Frequencies, and the power density there, from the median of the windows' squared spectra."""
    power = median / np.log(2)  # the median of an exponential distribution is ln 2 of its mean
    power *= 2 / (sampling_rate_hz * (spectrum_window() ** 2).sum())
    power[[0, -1]] /= 2
    return np.fft.rfftfreq(SEGMENT, 1 / sampling_rate_hz), power
