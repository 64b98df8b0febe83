"""The inputs that an output depends on: this step's and those before."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

__all__ = ["lagged_inputs"]


def lagged_inputs(
    inputs: Float[np.ndarray, "N T m"], lags: int, first_lag: int = 0
) -> Float[np.ndarray, "N T_lagged lags_m"]:
    """Rows [u[t - first_lag], u[t - first_lag - 1], ...] of ``lags`` inputs, for every t at which all are there.

    Parameters
    ----------
    inputs
        At T steps.
    lags
        How many inputs a row has.
    first_lag
        0, or 1 where outputs have no feedthrough.

    Returns
    -------
    array
        Of ``T - lags - first_lag + 1`` steps, the first of them t = lags + first_lag - 1; lag by lag, inputs within.
    """
    n, steps, m = inputs.shape
    rows = steps - lags - first_lag + 1
    if rows <= 0:
        return np.empty((n, 0, lags * m))
    windows = np.lib.stride_tricks.sliding_window_view(inputs, lags, axis=1)[:, :rows]  # N, rows, m, lags, oldest first
    return np.ascontiguousarray(windows[..., ::-1].swapaxes(2, 3)).reshape(n, rows, lags * m)
