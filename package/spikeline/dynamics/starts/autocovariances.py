"""Autocovariances of outputs or residuals, some of which may be missing."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

__all__ = ["autocovariances"]


def autocovariances(
    values: Float[np.ndarray, "N T q"], known: Bool[np.ndarray, "N T q"], lags: int
) -> list[Float[np.ndarray, "q q"]]:
    """Gamma_0, Gamma_1, ...: means of r[t + j] r[t]' over all trajectories and steps at which both are known.

    Parameters
    ----------
    values
        Of mean zero, or about what their mean should be; zero where not known.
    known
        Which count.
    lags
        Largest j, or fewer where there are not so many steps.
    """
    steps, weights = values.shape[1], known.astype(float)
    gammas = []
    for lag in range(min(lags, steps - 1) + 1):
        ahead, behind = slice(lag, None), slice(0, steps - lag)
        count = np.einsum("itq,itp->qp", weights[:, ahead], weights[:, behind], optimize=True)
        total = np.einsum("itq,itp->qp", values[:, ahead], values[:, behind], optimize=True)
        gammas.append(total / np.maximum(count, 1.0))
    return gammas
