"""The adjusted Rand index of spikes that were clustered group of channels by group of channels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Int64

__all__ = ["adjusted_rand_index"]


def adjusted_rand_index(
    units: Sequence[Int64[np.ndarray, " _"]],
    found: Sequence[Int64[np.ndarray, " _"]],
    counted: Bool[np.ndarray, " units"] | None = None,
) -> float:
    """How well clusters agree with units, over all groups together: 1 for the same, 0 for what chance gives.

    Parameters
    ----------
    units
        Per group of channels: unit of each spike.
    found
        Likewise its cluster; -1: none, which makes one more cluster: not to assign a spike is to err. Clusters of
        different groups are different clusters.
    counted
        Units whose spikes alone count; None: all.

    Returns
    -------
    float
        NaN if no spike counts.
    """
    from sklearn.metrics import adjusted_rand_score

    if not units:
        return float("nan")
    before = np.cumsum([0, *(int(labels.max(initial=-1)) + 2 for labels in found)])
    truth = np.concatenate(units)
    apart = np.concatenate([labels + 1 + start for labels, start in zip(found, before, strict=False)])
    if counted is not None:
        truth, apart = truth[counted[truth]], apart[counted[truth]]
    return float(adjusted_rand_score(truth, apart)) if len(truth) else float("nan")
