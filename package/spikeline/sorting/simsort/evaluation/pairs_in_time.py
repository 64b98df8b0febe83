"""Which events of two lists are near each other in time."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64

__all__ = ["pairs_in_time"]


def pairs_in_time(
    first: Int64[np.ndarray, " a"], second: Int64[np.ndarray, " b"], reach: int
) -> tuple[Int64[np.ndarray, " pairs"], Int64[np.ndarray, " pairs"]]:
    """Indices into both of every pair at most ``reach`` samples apart, by the first and then the second.

    Parameters
    ----------
    first, second
        Rising samples.
    reach
        Inclusive, in samples.
    """
    low, high = np.searchsorted(second, first - reach), np.searchsorted(second, first + reach, side="right")
    rows = np.repeat(np.arange(len(first)), high - low)
    columns = np.arange(len(rows)) - np.repeat(np.cumsum(high - low) - (high - low) - low, high - low)
    return rows, columns
