"""How far estimated weights of components are from the true ones."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int64

__all__ = ["label_frequencies", "weight_error"]


def weight_error(
    true: Float[np.ndarray, " K"], estimated: Float[np.ndarray, " K"], estimate_of: Int64[np.ndarray, " K"]
) -> float:
    """Sum of absolute differences, 0 to 2.

    Against the weights that labels were drawn with, an estimate cannot be better than chance left the labels: the
    error against `label_frequencies` tells the two apart.

    Parameters
    ----------
    true, estimated
        Each of sum 1.
    estimate_of
        Index of the estimate for each true component (`matching.match_components`).
    """
    return float(np.abs(true - estimated[estimate_of]).sum())


def label_frequencies(labels: Int64[np.ndarray, " N"], n_components: int) -> Float[np.ndarray, " K"]:
    """Share of trajectories that each component has made."""
    return np.bincount(labels, minlength=n_components) / len(labels)
