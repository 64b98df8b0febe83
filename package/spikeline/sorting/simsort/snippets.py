"""Short windows around peaks: what the identifier sees of a spike."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Int64

__all__ = ["SNIPPET_AFTER", "SNIPPET_BEFORE", "SNIPPET_SAMPLES", "cut_snippets"]

SNIPPET_BEFORE, SNIPPET_AFTER = 12, 20
SNIPPET_SAMPLES = SNIPPET_BEFORE + SNIPPET_AFTER
"""3.2 ms at 10 kHz: a spike and most of its repolarisation; longer windows catch more of other spikes."""


def cut_snippets(
    traces: Float32[np.ndarray, "samples channels"],
    peaks: Int64[np.ndarray, " spikes"],
    before: int = SNIPPET_BEFORE,
    after: int = SNIPPET_AFTER,
    channels: Int64[np.ndarray, " chosen"] | None = None,
) -> Float32[np.ndarray, "spikes chosen window"]:
    """Windows [peak - before, peak + after) of all channels, or of those chosen; zeros beyond the ends."""
    at = peaks[:, None] + np.arange(-before, after)
    inside = (at >= 0) & (at < len(traces))
    at = np.clip(at, 0, len(traces) - 1)
    cut = traces[at] if channels is None else traces[at[:, :, None], channels]
    if not inside.all():
        cut[~inside] = 0
    return np.ascontiguousarray(cut.transpose(0, 2, 1))
