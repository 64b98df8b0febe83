"""The detector run over whitened traces, and the peaks of what it says."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32, Int64

if TYPE_CHECKING:
    from spikeline.sorting.simsort.detector import Detector

__all__ = ["find_peaks", "over_neighbours", "spike_probabilities"]

_PIECE = 20_000


def spike_probabilities(
    detector: Detector, traces: Float32[np.ndarray, "samples channels"], threads: int = 1
) -> Float32[np.ndarray, " samples"]:
    """Probability that a spike peaks at, or next to, each sample; at most 4 channels.

    Pieces are worked on by ``threads`` at a time, each by one thread of torch if torch has one: the network is so small
    that threads within its operations wait for each other.
    """
    import torch

    margin = detector.margin
    device = next(detector.parameters()).device
    out = np.empty(len(traces), np.float32)

    def one(start: int) -> None:
        stop = min(start + _PIECE, len(traces))
        low, high = max(0, start - margin), min(len(traces), stop + margin)
        with torch.inference_mode():
            piece = torch.zeros(1, 4, high - low)
            piece[0, : traces.shape[1]] = torch.from_numpy(np.ascontiguousarray(traces[low:high].T))
            logits = detector(piece.to(device))[0, start - low : start - low + stop - start]
            out[start:stop] = torch.sigmoid(logits).cpu().numpy()

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(one, range(0, len(traces), _PIECE)))
    return out


def over_neighbours(probabilities: Float32[np.ndarray, " samples"]) -> Float32[np.ndarray, " samples"]:
    """Mean over a sample and its neighbours: a spike's label is three samples wide, and so is what the network says."""
    return np.convolve(probabilities, np.ones(3, np.float32) / 3, mode="same")


def find_peaks(
    probabilities: Float32[np.ndarray, " samples"], threshold: float, apart: int = 3
) -> Int64[np.ndarray, " peaks"]:
    """Samples where the probability, averaged over a sample and its neighbours, is largest within ``apart`` samples."""
    smooth = over_neighbours(probabilities)
    from scipy.ndimage import maximum_filter1d

    top = maximum_filter1d(smooth, 2 * apart + 1, mode="constant")
    peaks = np.flatnonzero((smooth >= top) & (smooth > threshold))
    if len(peaks) > 1:  # of a plateau the first
        peaks = peaks[np.concatenate([[True], np.diff(peaks) > apart])]
    return peaks.astype(np.int64)
