"""Waveforms that were cut out by somebody else, as the networks see spikes: at their rate, whitened.

Whitening needs the noise, and lone snippets have nothing but spikes. What there is of noise are their ends, where a
spike has not begun or is over: its autocovariance, up to the lags that an end holds, is carried on by an autoregressive
process, and noise drawn from that process is what the whitening is fitted to. No label is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Float64, Int64

from spikeline.artifacts import seed_stream
from spikeline.data.readers import Snippets
from spikeline.errors import DataError
from spikeline.sorting.simsort.whitened import Resampling
from spikeline.sorting.simsort.whitening import fit_whitening

__all__ = ["LoneSpikes", "edge_autocovariance", "whitened_snippets"]

_SPIKE_MS = (0.45, 1.1)  # a spike's extent before and after its peak; what lies outside counts as noise
_TAPER_MS = 0.25
_NOISE_S = 20.0
_APART_S = 0.05  # more than the filters reach
_FEWEST_EDGE = 6


@dataclass(frozen=True)
class LoneSpikes:
    """One channel in which the snippets stand one after the other, each alone in silence.

    Parameters
    ----------
    traces
        Whitened.
    peaks
        Sample of each snippet's peak.
    rate_hz
        Of the traces.
    """

    traces: Float32[np.ndarray, "samples 1"]
    peaks: Int64[np.ndarray, " snippets"]
    rate_hz: float


def edge_autocovariance(
    waveforms: Float[np.ndarray, "snippets samples"], before: int, after: int
) -> Float64[np.ndarray, " lags"]:
    """Autocovariance of the first ``before`` and of the last ``after`` samples, around their mean over all snippets.

    Products at a lag are divided by the number at lag 0, so that what comes out is the autocovariance of some process.

    Raises
    ------
    DataError
        If the longer of the two ends has fewer than 6 samples.
    """
    longest = max(before, after)
    if longest < _FEWEST_EDGE:
        raise DataError(
            f"snippets with {longest} samples beside the spike",
            f"at least {_FEWEST_EDGE} to measure the noise on",
            "cut longer snippets",
        )
    total, count = np.zeros(longest), 0
    for edge in (waveforms[:, :before], waveforms[:, waveforms.shape[1] - after :]):
        around = edge - edge.mean(axis=0)
        for lag in range(edge.shape[1]):
            total[lag] += (around[:, lag:] * around[:, : edge.shape[1] - lag]).sum()
        count += edge.size
    return total / count


def whitened_snippets(
    snippets: Snippets, sampling_rate_hz: float, band_hz: tuple[float, float], *, seed: int = 0
) -> LoneSpikes:
    """Resample and whiten snippets of one channel.

    Parameters
    ----------
    snippets
        In time order.
    sampling_rate_hz, band_hz
        Of the networks.
    seed
        Of the noise that the whitening is fitted to.

    Raises
    ------
    DataError
        If the snippets are too short to hold anything but the spike, or sampled too slowly.
    """
    rate = snippets.sampling_rate_hz
    resampling = Resampling(rate, sampling_rate_hz, band_hz[1])
    n, length = snippets.waveforms.shape
    first, last = (round(ms * rate / 1e3) for ms in _SPIKE_MS)
    before, after = max(0, snippets.peak_sample - first), max(0, length - snippets.peak_sample - last)
    noise = _noise_like(edge_autocovariance(snippets.waveforms, before, after), round(_NOISE_S * rate), seed)
    whitening = fit_whitening(_resampled(noise, resampling), resampling.rate_hz, band_hz)

    around = snippets.waveforms - np.median(snippets.waveforms[:, np.r_[:before, length - after : length]])
    # Steps that resampling turns into whole samples, so that no snippet is moved by a part of one.
    step = -(-round(_APART_S * rate) // resampling.down) * resampling.down
    start = -(-(step // 2) // resampling.down) * resampling.down - snippets.peak_sample
    alone = np.zeros((n, step), np.float32)
    alone[:, start : start + length] = around * _taper(length, round(_TAPER_MS * rate / 1e3))
    traces = whitening(_resampled(alone.ravel(), resampling))
    peaks = (np.arange(n) * step + start + snippets.peak_sample) * resampling.up // resampling.down
    return LoneSpikes(traces, peaks.astype(np.int64), resampling.rate_hz)


def _resampled(trace: np.ndarray, resampling: Resampling) -> Float32[np.ndarray, "samples 1"]:
    column = np.asarray(trace, np.float32)[:, None]
    return resampling.block(lambda a, b: column[a:b], len(column), 0, resampling.length(len(column)))


def _noise_like(autocovariance: np.ndarray, n_samples: int, seed: int) -> Float64[np.ndarray, " samples"]:
    """Gaussian noise of the autoregressive process with this autocovariance (Yule-Walker)."""
    from scipy.linalg import solve_toeplitz
    from scipy.signal import lfilter

    order = len(autocovariance) // 2
    steady = autocovariance[: order + 1].copy()
    steady[0] *= 1.0 + 1e-3  # noise that is smooth at its rate leaves the equations close to singular
    weights = solve_toeplitz(steady[:-1], steady[1:])
    spread = np.sqrt(max(steady[0] - weights @ steady[1:], 1e-12 * steady[0]))
    drawn = seed_stream(seed, "lone-snippets-noise").normal(0.0, spread, n_samples + 1000)
    return lfilter([1.0], np.concatenate([[1.0], -weights]), drawn)[1000:]


def _taper(length: int, ends: int) -> Float64[np.ndarray, " samples"]:
    ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(ends) + 0.5) / max(ends, 1))
    return np.concatenate([ramp, np.ones(length - 2 * ends), ramp[::-1]])
