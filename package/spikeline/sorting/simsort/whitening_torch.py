"""Traces whitened by their own noise, in torch, on any device: `whitening.whitened`.

What runs over all samples is done where the traces lie. A spectrum and a few numbers per channel go to the CPU, where
the filter and the matrix are made of them as ever.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float32
from scipy import fft

from spikeline.simulation.recordings.filters_torch import filtered_from_rest
from spikeline.sorting.simsort.inverse_filter import (
    SEGMENT,
    constant_channels,
    inverse_filter,
    power_density,
    spectrum_window,
    steadying_filter,
    window_starts,
)
from spikeline.sorting.simsort.whitening import LOUD_REACH, QUIET, check_length, inverse_root

__all__ = ["whitened_on"]

_FORGOTTEN = 1e-8
_NORMAL = 0.6745  # median magnitude of a normal number


def whitened_on(
    traces: Float32[torch.Tensor, "samples channels"], sampling_rate_hz: float, band_hz: tuple[float, float]
) -> Float32[torch.Tensor, "samples channels"]:
    """Traces of a few channels, whitened.

    Parameters
    ----------
    traces
        A whole scene, uV; all channels are near each other.
    sampling_rate_hz
        Of the traces.
    band_hz
        Nothing outside passes.

    Raises
    ------
    DataError
        If the stretch is too short, or no channel has a signal.
    """
    check_length(len(traces))
    steady = _steady(traces, steadying_filter(sampling_rate_hz, band_hz))
    median = _median_spectrum(steady).cpu().numpy()
    kernel, share = inverse_filter(*power_density(median, sampling_rate_hz), sampling_rate_hz, band_hz)
    filtered = _filtered_in_time(traces, torch.from_numpy(kernel).to(traces.device))
    scale = _middle((filtered - _middle(filtered)).abs()).cpu().numpy().astype(np.float64) / _NORMAL
    alive = np.flatnonzero(scale > 1e-6 * scale.max())
    if not len(alive):
        raise constant_channels()
    rows = inverse_root(_quiet_covariance(filtered[:, alive] / _like(scale[alive], traces)))
    mixing = np.zeros((len(scale), len(scale)))
    mixing[np.ix_(alive, alive)] = rows / scale[alive]
    out = filtered @ _like(mixing.T, traces)
    left = _middle(out[:, alive].abs()).cpu().numpy().astype(np.float64) / _NORMAL
    mixing[alive] *= np.sqrt(share) / left[:, None]
    return filtered @ _like(mixing.T, traces)


def _like(array: np.ndarray, traces: torch.Tensor) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, np.float32)).to(traces.device)


def _middle(values: torch.Tensor) -> torch.Tensor:
    """Median along the first axis, between the two middle values if their number is even, as numpy has it."""
    ordered, n = values.movedim(0, -1).contiguous().sort().values, len(values)
    return (ordered[..., (n - 1) // 2] + ordered[..., n // 2]) / 2


def _steady(traces: torch.Tensor, sections: np.ndarray) -> torch.Tensor:
    """What `scipy.signal.sosfiltfilt` makes of the traces (samples, channels).

    It starts each pass as if the first sample had been there for ever. A high-pass answers that with nothing, so the
    pass is that of the traces less their first sample, from rest.
    """
    edge = 3 * (2 * len(sections) + 1 - min((sections[:, 2] == 0).sum(), (sections[:, 5] == 0).sum()))
    slowest = max(abs(np.roots(section[3:])).max() for section in sections)
    memory = int(np.ceil(np.log(_FORGOTTEN) / np.log(slowest)))
    before = 2 * traces[0] - traces[1 : edge + 1].flip(0)
    after = 2 * traces[-1] - traces[-edge - 1 : -1].flip(0)
    passing = torch.cat([before, traces, after])
    for _ in range(2):
        passing = filtered_from_rest(passing - passing[0], sections, memory).flip(0)
    return passing[edge:-edge]


def _median_spectrum(steady: torch.Tensor) -> torch.Tensor:
    """(frequencies, channels): median of the squared spectra of windows."""
    starts = torch.from_numpy(window_starts(len(steady))).to(steady.device)
    windows = steady.unfold(0, SEGMENT, 1)[starts]
    windows = (windows - windows.mean(dim=2, keepdim=True)) * _like(spectrum_window(), steady)
    return _middle(torch.fft.rfft(windows, dim=2).abs().square()).T


def _filtered_in_time(traces: torch.Tensor, kernel: torch.Tensor) -> torch.Tensor:
    """As `whitening.filtered_in_time`; by spectra, because convolutions of a GPU may round to ten bits (TF32)."""
    half, n = len(kernel) // 2, len(traces)
    padded = torch.cat([traces[:1].expand(half, -1), traces, traces[-1:].expand(half, -1)])
    length = fft.next_fast_len(len(padded), real=True)
    spectrum = torch.fft.rfft(padded, n=length, dim=0) * torch.fft.rfft(kernel, n=length)[:, None]
    return torch.fft.irfft(spectrum, n=length, dim=0)[2 * half : 2 * half + n]


def _quiet_covariance(unit: torch.Tensor) -> np.ndarray:
    """Covariance of channels (samples, channels) of standard deviation 1, where none is near a spike."""
    loud = (unit.abs() > QUIET).any(dim=1)
    near = torch.nn.functional.max_pool1d(loud.float()[None], 2 * LOUD_REACH + 1, stride=1, padding=LOUD_REACH)[0] > 0
    quiet = unit[~near]
    if len(quiet) <= 20 * unit.shape[1]:
        quiet = unit
    return torch.atleast_2d(torch.cov(quiet.T.double())).cpu().numpy()
