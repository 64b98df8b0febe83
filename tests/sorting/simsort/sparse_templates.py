"""Random templates on a few channels each, and the same on all channels, zeros included."""

from __future__ import annotations

import numpy as np

__all__ = ["dense", "sparse_templates"]


def sparse_templates(
    n_units: int, n_channels: int, chosen: int, window: int = 40, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Channels (units, chosen), rising, and waveforms (units, chosen, window)."""
    rng = np.random.default_rng(seed)
    channels = np.sort(rng.permuted(np.tile(np.arange(n_channels), (n_units, 1)), axis=1)[:, :chosen], axis=1)
    smooth = rng.normal(size=(n_units, chosen, window + 4)).astype(np.float32)
    return channels, sum(smooth[..., start : start + window] for start in range(5)) / np.float32(5)


def dense(channels: np.ndarray, waveforms: np.ndarray, n_channels: int) -> np.ndarray:
    """(units, channels, window)."""
    out = np.zeros((len(channels), n_channels, waveforms.shape[2]), np.float32)
    np.put_along_axis(out, channels[:, :, None], waveforms, axis=1)
    return out
