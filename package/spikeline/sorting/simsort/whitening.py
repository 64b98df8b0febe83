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
from spikeline.sorting.simsort.inverse_filter import (
    constant_channels,
    inverse_filter,
    power_density,
    spectrum_window,
    steadying_filter,
    window_starts,
)

__all__ = ["LOUD_REACH", "QUIET", "Whitening", "check_length", "fit_whitening", "inverse_root", "whitened"]

QUIET = 4.0
"""Samples beyond so many standard deviations are of spikes."""
LOUD_REACH = 5
"""So many samples before and after them are, too."""
_SHORTEST = 512
_EIGENVALUE_FLOOR = 1e-3
_NEAREST = 16
_AT_A_TIME = 32  # channels whose windows and spectra are in memory together


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
    return _fitted(traces, sampling_rate_hz, band_hz, locations_um)[0]


def whitened(
    traces: Float[np.ndarray, "samples channels"], sampling_rate_hz: float, band_hz: tuple[float, float]
) -> Float32[np.ndarray, "samples channels"]:
    """Traces whitened by what `fit_whitening` measures on themselves, filtered once."""
    whitening, filtered = _fitted(traces, sampling_rate_hz, band_hz)
    return filtered @ whitening.mixing.T


def _fitted(
    traces: np.ndarray,
    sampling_rate_hz: float,
    band_hz: tuple[float, float],
    locations_um: np.ndarray | None = None,
) -> tuple[Whitening, np.ndarray]:
    """The whitening, and the traces after its filter over time."""
    check_length(len(traces))
    traces = np.asarray(traces, np.float32)
    kernel, share = _inverse_filter(traces, sampling_rate_hz, band_hz)
    filtered = filtered_in_time(traces, kernel)
    scale = np.median(np.abs(filtered - np.median(filtered, axis=0)), axis=0) / 0.6745
    alive = np.flatnonzero(scale > 1e-6 * scale.max())
    if not len(alive):
        raise constant_channels()
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
    return Whitening(kernel, mixing.astype(np.float32)), filtered


def check_length(n_samples: int) -> None:
    """Refuse a stretch that is too short to measure noise on."""
    if n_samples < _SHORTEST:
        raise DataError(f"{n_samples} samples to measure noise on", f"at least {_SHORTEST}", "take a longer stretch")


def _nearest(locations_um: np.ndarray | None, n_channels: int) -> list[np.ndarray]:
    everything = np.arange(n_channels)
    if locations_um is None or n_channels <= _NEAREST:
        return [everything] * n_channels
    away = np.linalg.norm(locations_um[:, None] - locations_um[None], axis=-1)
    return [np.sort(np.argsort(row, kind="stable")[:_NEAREST]) for row in away]


def _inverse_root(unit: Float32[np.ndarray, "samples channels"]) -> Float[np.ndarray, "channels channels"]:
    """Symmetric inverse root of the covariance of what is not near a spike."""
    loud = ndimage.binary_dilation((np.abs(unit) > QUIET).any(axis=1), iterations=LOUD_REACH)
    quiet = unit[~loud] if (~loud).sum() > 20 * unit.shape[1] else unit
    return inverse_root(np.atleast_2d(np.cov(quiet.T.astype(np.float64))))


def inverse_root(covariance: Float[np.ndarray, "channels channels"]) -> Float[np.ndarray, "channels channels"]:
    """Symmetric inverse root; directions that hardly carry noise are not raised above measure."""
    values, vectors = np.linalg.eigh(covariance)
    values = np.maximum(values, _EIGENVALUE_FLOOR * values.mean())
    return (vectors / np.sqrt(values)) @ vectors.T


def _inverse_filter(
    traces: Float32[np.ndarray, "samples channels"], sampling_rate_hz: float, band_hz: tuple[float, float]
) -> tuple[Float32[np.ndarray, " taps"], float]:
    """The filter, and the share of the spectrum it lets pass."""
    parts = []
    for first in range(0, traces.shape[1], _AT_A_TIME):
        # slow potentials would leak into all frequencies
        some = traces[:, first : first + _AT_A_TIME]
        steady = signal.sosfiltfilt(steadying_filter(sampling_rate_hz, band_hz), some, axis=0)
        frequency, power = _median_spectrum(steady, sampling_rate_hz)
        parts.append(power)
    return inverse_filter(frequency, np.concatenate(parts, axis=1), sampling_rate_hz, band_hz)


def _median_spectrum(
    traces: Float[np.ndarray, "samples channels"], sampling_rate_hz: float
) -> tuple[Float[np.ndarray, " frequencies"], Float[np.ndarray, "frequencies channels"]]:
    """Power density as `scipy.signal.welch` gives it with average="median", which loops in Python over the windows."""
    starts = window_starts(len(traces))
    window = spectrum_window()
    windows = np.moveaxis(traces[starts[:, None] + np.arange(len(window))], 2, 1)
    spectrum = np.abs(np.fft.rfft((windows - windows.mean(axis=-1, keepdims=True)) * window, axis=-1)) ** 2
    return power_density(np.median(spectrum, axis=0).T, sampling_rate_hz)
