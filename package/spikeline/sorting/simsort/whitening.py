"""Noise of unit variance, the same at all frequencies and channels: what the networks and the matched filters expect.

Recordings differ most in their noise: its level, its colour, what channels share. Whitening takes all three away, so
that networks trained on simulated noise meet nothing new, and what is left of a spike is exactly what distinguishes it
from noise. For a spike in Gaussian noise the inner product with a template after whitening is the optimal detector.

Unit variance is meant per independent sample: noise of density 1 fills the band alone, so its samples, which depend on
each other, have a variance of the band's share of the spectrum. The inner product of noise with a template then has
the template's energy for its variance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32
from scipy import ndimage, signal

from spikeline.errors import DataError

__all__ = ["Whitening", "fit_whitening"]

_SEGMENT = 128
_QUIET = 4.0
_MOST_WINDOWS = 3000
_GAIN_RANGE = 5.0
_EIGENVALUE_FLOOR = 1e-3
_NEAREST = 16


@dataclass(frozen=True)
class Whitening:
    """A filter over time, the same for all channels, then a matrix over channels.

    Parameters
    ----------
    kernel
        Symmetric, so that no spike is moved; 1/uV.
    mixing
        Row: an output channel. Symmetric (ZCA) but for the scale of the rows: an output stays at its contact.
    """

    kernel: Float32[np.ndarray, " taps"]
    mixing: Float32[np.ndarray, "channels channels"]

    @property
    def margin(self) -> int:
        """Samples on either side that an output depends on."""
        return len(self.kernel) // 2

    def __call__(self, traces: Float[np.ndarray, "samples channels"]) -> Float32[np.ndarray, "samples channels"]:
        """Whitened traces; beyond the ends the first and last sample are repeated."""
        filtered = filtered_in_time(traces, self.kernel)
        return filtered @ self.mixing.T


def filtered_in_time(
    traces: Float[np.ndarray, "samples channels"], kernel: Float32[np.ndarray, " taps"]
) -> Float32[np.ndarray, "samples channels"]:
    """Each channel convolved with a symmetric kernel."""
    half = len(kernel) // 2
    padded = np.pad(np.asarray(traces, np.float32), ((half, half), (0, 0)), mode="edge")
    return np.ascontiguousarray(signal.oaconvolve(padded, kernel[:, None], mode="valid", axes=0), dtype=np.float32)


def fit_whitening(
    traces: Float[np.ndarray, "samples channels"],
    sampling_rate_hz: float,
    band_hz: tuple[float, float],
    locations_um: Float[np.ndarray, "channels dimensions"] | None = None,
) -> Whitening:
    """Measure the noise and make its inverse.

    The spectrum is a median over short windows, so spikes, which are in few of them, do not count as noise; neither do
    samples beyond 4 standard deviations in the covariance between channels.

    Parameters
    ----------
    traces
        A representative stretch, seconds long.
    sampling_rate_hz
        Of the traces.
    band_hz
        Nothing outside passes.
    locations_um
        With more than 16 channels each is whitened with its 16 nearest; None: with all.

    Raises
    ------
    DataError
        If the stretch is too short, or no channel has a signal.
    """
    if len(traces) < 4 * _SEGMENT:
        raise DataError(
            f"{len(traces)} samples to measure noise on", f"at least {4 * _SEGMENT}", "take a longer stretch"
        )
    traces = np.asarray(traces, np.float32)
    kernel, share = _inverse_filter(traces, sampling_rate_hz, band_hz)
    filtered = filtered_in_time(traces, kernel)
    scale = np.median(np.abs(filtered - np.median(filtered, axis=0)), axis=0) / 0.6745
    alive = np.flatnonzero(scale > 1e-6 * scale.max())
    if not len(alive):
        raise DataError("every channel is constant", "traces with a signal", "check the file and its data type")
    unit = filtered[:, alive] / scale[alive]
    near = _nearest(None if locations_um is None else np.asarray(locations_um)[alive], len(alive))
    if len(near[0]) == len(alive):
        rows = _inverse_root(unit)
    else:
        rows = np.zeros((len(alive), len(alive)))
        for row, columns in enumerate(near):
            rows[row, columns] = _inverse_root(unit[:, columns])[columns.searchsorted(row)]
    mixing = np.zeros((len(scale), len(scale)))
    mixing[np.ix_(alive, alive)] = rows / scale[alive]
    out = filtered @ mixing.T.astype(np.float32)
    mixing[alive] *= np.sqrt(share) / (np.median(np.abs(out[:, alive]), axis=0) / 0.6745)[:, None]
    return Whitening(kernel, mixing.astype(np.float32))


def _nearest(locations_um: np.ndarray | None, n_channels: int) -> list[np.ndarray]:
    everything = np.arange(n_channels)
    if locations_um is None or n_channels <= _NEAREST:
        return [everything] * n_channels
    away = np.linalg.norm(locations_um[:, None] - locations_um[None], axis=-1)
    return [np.sort(np.argsort(row, kind="stable")[:_NEAREST]) for row in away]


def _inverse_root(unit: Float32[np.ndarray, "samples channels"]) -> Float[np.ndarray, "channels channels"]:
    """Symmetric inverse root of the covariance of what is not near a spike."""
    loud = ndimage.binary_dilation((np.abs(unit) > _QUIET).any(axis=1), iterations=5)
    quiet = unit[~loud] if (~loud).sum() > 20 * unit.shape[1] else unit
    values, vectors = np.linalg.eigh(np.atleast_2d(np.cov(quiet.T.astype(np.float64))))
    values = np.maximum(values, _EIGENVALUE_FLOOR * values.mean())
    return (vectors / np.sqrt(values)) @ vectors.T


def _inverse_filter(
    traces: Float32[np.ndarray, "samples channels"], sampling_rate_hz: float, band_hz: tuple[float, float]
) -> tuple[Float32[np.ndarray, " taps"], float]:
    """The filter, and the share of the spectrum it lets pass."""
    low, high = band_hz
    sections = signal.butter(3, low, "highpass", fs=sampling_rate_hz, output="sos")
    steady = signal.sosfiltfilt(sections, traces, axis=0)  # slow potentials would leak into all frequencies
    frequency, power = _median_spectrum(steady, sampling_rate_hz)
    usual = np.median(power[:, power.sum(axis=0) > 0], axis=1) if (power.sum(axis=0) > 0).any() else power[:, 0]
    inside = (frequency >= low) & (frequency <= high)
    if not usual[inside].max(initial=0) > 0:
        raise DataError("every channel is constant", "traces with a signal", "check the file and its data type")
    usual = np.maximum(usual, usual[inside].max() / _GAIN_RANGE**2)
    usual[frequency < low] = usual[inside][0]
    usual[frequency > high] = usual[inside][-1]
    taps = 2 * _SEGMENT + 1
    grid = np.linspace(0, sampling_rate_hz / 2, 513)
    gain = 1 / np.sqrt(np.interp(grid, frequency, usual) * sampling_rate_hz / 2)
    passed = np.clip((grid - 0.8 * low) / (0.4 * low), 0, 1) * np.clip((high * 1.05 - grid) / (0.1 * high), 0, 1)
    gain *= passed
    impulse = np.fft.irfft(gain)
    kernel = np.roll(impulse, taps // 2)[:taps] * signal.windows.hann(taps)
    return kernel.astype(np.float32), float((passed**2).mean())


def _median_spectrum(
    traces: Float[np.ndarray, "samples channels"], sampling_rate_hz: float
) -> tuple[Float[np.ndarray, " frequencies"], Float[np.ndarray, "frequencies channels"]]:
    """Power density as `scipy.signal.welch` gives it with average="median", which loops in Python over the windows."""
    starts = np.arange(0, len(traces) - _SEGMENT + 1, _SEGMENT // 2)
    starts = starts[:: max(1, len(starts) // _MOST_WINDOWS)]
    window = signal.windows.hann(_SEGMENT, sym=False).astype(np.float32)
    windows = np.moveaxis(traces[starts[:, None] + np.arange(_SEGMENT)], 2, 1)
    spectrum = np.abs(np.fft.rfft((windows - windows.mean(axis=-1, keepdims=True)) * window, axis=-1)) ** 2
    power = np.median(spectrum, axis=0).T / np.log(2)  # the median of an exponential distribution is ln 2 of its mean
    power *= 2 / (sampling_rate_hz * (window**2).sum())
    power[[0, -1]] /= 2
    return np.fft.rfftfreq(_SEGMENT, 1 / sampling_rate_hz), power
