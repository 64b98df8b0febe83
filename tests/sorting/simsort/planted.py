"""Unit noise with spikes planted at known times, between samples too: shapes are functions of continuous time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

__all__ = ["RATE_HZ", "Shape", "cut", "noise", "noisy_spikes", "plant", "spike_shape", "train"]

RATE_HZ = 10_000.0
_FROM, _TO = -30, 41

Shape = Callable[[np.ndarray], np.ndarray]
"""From times in samples to values [times, channels]; the spike peaks near 0."""


def noise(n_samples: int, n_channels: int = 4, seed: int = 0) -> np.ndarray:
    """White, of variance 1."""
    return np.random.default_rng(seed).normal(size=(n_samples, n_channels)).astype(np.float32)


def spike_shape(unit: int, n_channels: int = 4, energy: float = 300.0, *, falls: float = 0.5) -> Shape:
    """A trough and what follows it; units differ in width and in the channel where they are largest.

    From there each channel has ``falls`` times as much as the one before.
    """
    width = 1.4 + 0.35 * (unit % 3)
    gains = np.roll(falls ** np.arange(n_channels), unit % n_channels)

    def values(time: np.ndarray) -> np.ndarray:
        course = -np.exp(-((time / width) ** 2) / 2) + 0.35 * np.exp(-(((time / width - 3.5) / 2) ** 2) / 2)
        return course[:, None] * gains

    norm = np.sqrt(energy / (values(np.arange(_FROM, _TO)) ** 2).sum())
    return lambda time: norm * values(np.asarray(time, np.float64))


def cut(shape: Shape, before: int, after: int, shift: float = 0.0) -> np.ndarray:
    """(channels, before + after) template of a spike that peaks ``shift`` samples late."""
    return shape(np.arange(-before, after) - shift).T.astype(np.float32)


def noisy_spikes(shape: Shape, count: int, seed: int, before: int = 20, after: int = 30) -> np.ndarray:
    """(count, channels, before + after) spikes of one unit in noise of variance 1."""
    template = cut(shape, before, after)
    return template + np.random.default_rng(seed).normal(size=(count, *template.shape)).astype(np.float32)


def train(rate_hz: float, n_samples: int, seed: int = 0, *, refractory_ms: float = 3.0, margin: int = 60) -> np.ndarray:
    """Rising samples of a Poisson train with a dead time."""
    rng = np.random.default_rng([seed, 7])
    gaps = refractory_ms / 1e3 + rng.exponential(
        1 / rate_hz - refractory_ms / 1e3, int(3 * rate_hz * n_samples / RATE_HZ) + 10
    )
    samples = margin + np.rint(np.cumsum(gaps) * RATE_HZ).astype(np.int64)
    return samples[samples < n_samples - margin]


def plant(
    traces: np.ndarray, shape: Shape, times: np.ndarray, amplitudes: np.ndarray | float = 1.0, *, stretch: int = 1
) -> None:
    """Add a spike at every time, in place; none nearer to an end than 41 samples, times the stretch."""
    around = np.arange(stretch * _FROM, stretch * _TO)
    for time, amplitude in zip(times, np.broadcast_to(amplitudes, len(times)), strict=True):
        at = int(np.rint(time)) + around
        traces[at] += (amplitude * shape((at - time) / stretch)).astype(traces.dtype)
