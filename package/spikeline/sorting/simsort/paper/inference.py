"""The published detector run over a whole recording: contiguous windows that do not overlap."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from jaxtyping import Float32
from torch import nn

from spikeline.errors import ConfigError, DataError
from spikeline.sorting.simsort.paper.detector import WINDOW_SAMPLES

__all__ = ["spike_probability", "windowed"]


def windowed(
    traces: Float32[np.ndarray, "samples channels"],
    *,
    window: int = WINDOW_SAMPLES,
    tail: Literal["drop", "pad"] = "drop",
) -> Float32[np.ndarray, "windows window channels"]:
    """Traces cut into windows, end to end.

    Parameters
    ----------
    traces
        Of any unit.
    window
        Samples per window.
    tail
        What happens to the samples after the last whole window. drop: they are never looked at, as in the published
        sorter, which loses up to 0.2 s of a recording at 10 kHz; pad: zeros fill the last window.

    Raises
    ------
    ConfigError
        If ``tail`` is neither.
    DataError
        If no window remains.

    Notes
    -----
    Source: SimSort, released inference code.
    """
    if tail not in ("drop", "pad"):
        raise ConfigError(f"tail is {tail!r}", "drop or pad", "choose one of them")
    n_samples, n_channels = traces.shape
    if tail == "pad":
        traces = np.pad(traces, ((0, -n_samples % window), (0, 0)))
    count = len(traces) // window
    if count == 0:
        raise DataError(
            f"traces of {n_samples} samples", f"at least {window}, one window", "take a longer stretch, or pad the tail"
        )
    return traces[: count * window].reshape(count, window, n_channels)


def spike_probability(
    detector: nn.Module,
    traces: Float32[np.ndarray, "samples channels"],
    *,
    window: int = WINDOW_SAMPLES,
    tail: Literal["drop", "pad"] = "drop",
    batch: int = 32,
) -> Float32[np.ndarray, " covered"]:
    """Probability of a spike at each sample.

    Parameters
    ----------
    detector
        `detector.PaperDetector` or another network of its shapes.
    traces
        Whitened.
    window, tail
        See `windowed`.
    batch
        Windows at a time; the result does not depend on it but for rounding.

    Returns
    -------
    numpy.ndarray
        From the first sample on; shorter than the traces where the tail was dropped.

    Raises
    ------
    ConfigError, DataError
        See `windowed`.
    """
    windows = windowed(traces, window=window, tail=tail)
    device = next(detector.parameters()).device
    was_training = detector.training
    detector.eval()
    try:
        with torch.inference_mode():
            parts = [
                torch.sigmoid(detector(torch.from_numpy(np.ascontiguousarray(windows[i : i + batch])).to(device))).cpu()
                for i in range(0, len(windows), batch)
            ]
    finally:
        detector.train(was_training)
    return torch.cat(parts).flatten().numpy()[: len(traces)]
