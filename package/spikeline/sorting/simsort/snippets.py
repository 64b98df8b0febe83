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
) -> Float32[np.ndarray, "spikes channels window"]:
    """Windows [peak - before, peak + after) of all channels; zeros beyond the ends."""
    padded = np.pad(traces, ((before, after), (0, 0)))
    return np.ascontiguousarray(padded[peaks[:, None] + np.arange(before + after)].transpose(0, 2, 1))
