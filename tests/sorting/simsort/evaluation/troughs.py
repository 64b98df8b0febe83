"""Spikes so plain that every detector finds them."""

from __future__ import annotations

import numpy as np

from spikeline.artifacts import seed_stream


def troughs_in_turn(rate_hz: float, seconds: float = 4.0, channels: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Traces in unit noise with large troughs 0.4 ms wide on one channel after the other; and where these are."""
    n = int(seconds * rate_hz)
    traces = 5 * seed_stream(2, "test-view").normal(size=(n, channels)).astype(np.float32)
    at = np.arange(int(0.1 * rate_hz), n - int(0.1 * rate_hz), int(0.043 * rate_hz))
    time = np.arange(-int(0.002 * rate_hz), int(0.002 * rate_hz))
    shape = -200 * np.exp(-0.5 * (time / (0.0002 * rate_hz)) ** 2)
    for place, sample in enumerate(at):
        traces[sample + time, place % channels] += shape
    return traces, at
