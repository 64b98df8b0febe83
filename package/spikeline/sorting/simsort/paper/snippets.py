"""Snippets as the published identifier takes them: 20 samples before the peak, 40 from it on, whatever the rate."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int64

from spikeline.errors import DataError

__all__ = ["SNIPPET_AFTER", "SNIPPET_BEFORE", "paper_snippets", "whole_snippets"]

SNIPPET_BEFORE, SNIPPET_AFTER = 20, 40


def whole_snippets(peaks: Int64[np.ndarray, " peaks"], n_samples: int) -> Bool[np.ndarray, " peaks"]:
    """Which peaks are far enough from both ends of the traces for a whole snippet."""
    return (peaks >= SNIPPET_BEFORE) & (peaks <= n_samples - SNIPPET_AFTER)


def paper_snippets(
    traces: Float[np.ndarray, "samples channels"], peaks: Int64[np.ndarray, " peaks"]
) -> Float[np.ndarray, "peaks window channels"]:
    """Snippets of 60 samples.

    Parameters
    ----------
    traces
        uV in training.
    peaks
        Samples.

    Raises
    ------
    DataError
        If a snippet would reach over an end (`whole_snippets`).

    Notes
    -----
    Source: SimSort, released configuration of the identifier. What its code does with peaks at the ends of a recording
    is not known; here the caller leaves them out.
    """
    if not whole_snippets(peaks, len(traces)).all():
        raise DataError(
            f"peaks within {SNIPPET_BEFORE} samples of the first or {SNIPPET_AFTER} of the last of {len(traces)}",
            "whole snippets",
            "leave these peaks out",
        )
    return traces[peaks[:, None] + np.arange(-SNIPPET_BEFORE, SNIPPET_AFTER)]
