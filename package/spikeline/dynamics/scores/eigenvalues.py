"""How far the time constants and frequencies of an estimated system are from the true ones."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

__all__ = ["eigenvalue_distance"]


def eigenvalue_distance(true: Float[np.ndarray, "n n"], estimated: Float[np.ndarray, "n n"]) -> float:
    """Mean absolute difference of the eigenvalues of two matrices A, paired so that it is least.

    The same for all coordinates of the states.
    """
    from scipy.optimize import linear_sum_assignment

    apart = np.abs(np.linalg.eigvals(true)[:, None] - np.linalg.eigvals(estimated)[None])
    return float(apart[linear_sum_assignment(apart)].mean())
