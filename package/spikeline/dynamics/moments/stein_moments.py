"""Second and third moments of impulse responses by Stein's identity, as published; one output, Gaussian inputs.

With v ~ N(0, I): E[y^2 (vv' - I)] = 2 sum_k p_k b_k b_k' and E[y^3 (v^(x)3 - E(v))] = 6 sum_k p_k b_k^(x)3, where b_k
is the response of component k over the lags and E(v) the sum over j of v (x) e_j (x) e_j and its two rotations (Rui and
Dahleh 2025, eq. 3.3). Noise of mean zero and the response beyond the lags add no bias. The published form takes every
L-th sample and other trajectories for the third moment than for the second; both are choices here.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from spikeline.dynamics.moments.known_outputs import known_outputs
from spikeline.dynamics.moments.lagged_inputs import lagged_inputs
from spikeline.dynamics.moments.moment_sums import MomentSum
from spikeline.dynamics.trajectories import Trajectories
from spikeline.errors import DataError

__all__ = ["stein_second_moment", "stein_third_moment"]


def stein_second_moment(trajectories: Trajectories, lags: int, *, first_lag: int = 0, stride: int = 1) -> MomentSum:
    """Sum over samples of y^2 (vv' - I) / 2; its value estimates sum_k p_k b_k b_k'.

    Parameters
    ----------
    trajectories
        Of one output, with white Gaussian inputs of unit variance.
    lags
        How much of the response.
    first_lag
        0, or 1 where outputs have no feedthrough.
    stride
        Every how many samples; ``lags`` as published, 1 uses all.

    Raises
    ------
    DataError
        If there are several outputs.
    """
    y, v = _samples(trajectories, lags, first_lag, stride)
    squared = y**2
    return MomentSum(((v * squared[:, None]).T @ v - squared.sum() * np.eye(v.shape[1])) / 2, float(len(y)))


def stein_third_moment(
    trajectories: Trajectories,
    lags: int,
    whitening: Float[np.ndarray, "d K"],
    *,
    first_lag: int = 0,
    stride: int = 1,
) -> MomentSum:
    """Sum over samples of y^3 (v^(x)3 - E(v)) / 6, seen through W in every direction: never d^3 numbers.

    Parameters
    ----------
    trajectories, lags, first_lag, stride
        As for `stein_second_moment`; other trajectories than its, as published, or the same.
    whitening
        W.

    Raises
    ------
    DataError
        If there are several outputs.
    """
    y, v = _samples(trajectories, lags, first_lag, stride)
    z, cubed = v @ whitening, y**3
    raw = np.einsum("s,sa,sb,sc->abc", cubed, z, z, z, optimize=True)
    flat = np.einsum("a,bc->abc", cubed @ z, whitening.T @ whitening)
    total = raw - flat - flat.transpose(1, 0, 2) - flat.transpose(1, 2, 0)
    return MomentSum(total / 6, float(len(y)))


def _samples(
    trajectories: Trajectories, lags: int, first_lag: int, stride: int
) -> tuple[Float[np.ndarray, " S"], Float[np.ndarray, "S d"]]:
    if trajectories.n_outputs != 1:
        raise DataError(
            f"{trajectories.n_outputs} outputs",
            "one output for Stein's moments",
            "use the U-statistics (ustat_moments)",
        )
    rows = lagged_inputs(trajectories.inputs, lags, first_lag)[:, ::stride]
    start = lags + first_lag - 1
    known = known_outputs(trajectories)[:, start::stride, 0]
    return trajectories.outputs[:, start::stride, 0][known], rows[known]
