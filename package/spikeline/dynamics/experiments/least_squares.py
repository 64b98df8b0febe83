"""What each trajectory says of its own impulse response, by least squares: the baseline that knows of no mixture."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from spikeline.dynamics.moments.lagged_inputs import lagged_inputs
from spikeline.dynamics.trajectories import Trajectories

__all__ = ["trajectory_responses"]

_ROUNDING = 1e-10
_AT_ONCE = 200


def trajectory_responses(
    trajectories: Trajectories, lags: int, first_lag: int = 0
) -> Float[np.ndarray, "N lags_all q m"]:
    """Ordinary least squares of outputs on lagged inputs, each trajectory by itself.

    Where a trajectory has fewer samples than its response has numbers, the smallest response that fits.

    Parameters
    ----------
    trajectories
        Of one length.
    lags
        How much of the response is estimated.
    first_lag
        0, or 1 where outputs have no feedthrough: then lag 0 comes before them, and is zero.
    """
    m, q = trajectories.n_inputs, trajectories.n_outputs
    found = np.zeros((len(trajectories), first_lag + lags, q, m))
    for first in range(0, len(trajectories), _AT_ONCE):
        part = trajectories[first : first + _AT_ONCE]
        rows = lagged_inputs(part.inputs, lags, first_lag)
        outputs = part.outputs[:, lags + first_lag - 1 :]
        square = rows.swapaxes(1, 2) @ rows
        solved = np.linalg.pinv(square, rcond=_ROUNDING, hermitian=True) @ (rows.swapaxes(1, 2) @ outputs)
        found[first : first + _AT_ONCE, first_lag:] = solved.reshape(-1, lags, m, q).swapaxes(2, 3)
    return found
