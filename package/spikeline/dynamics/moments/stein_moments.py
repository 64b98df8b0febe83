"""Second and third moments of impulse responses by Stein's identity, as published; one output, Gaussian inputs.

With v ~ N(0, I): E[y^2 (vv' - I)] = 2 sum_k p_k b_k b_k' and E[y^3 (v^(x)3 - E(v))] = 6 sum_k p_k b_k^(x)3, where b_k
is the response of component k over the lags and E(v) the sum over j of v (x) e_j (x) e_j and its two rotations (Rui and
Dahleh 2025, eq. 3.3). Noise of mean zero and the response beyond the lags add no bias. The published form takes every
L-th sample and other trajectories for the third moment than for the second; both are choices here.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float

from spikeline.dynamics.moments.lagged_inputs import lagged_inputs
from spikeline.dynamics.moments.moment_sums import MomentSum
from spikeline.dynamics.trajectories import Trajectories
from spikeline.errors import DataError

__all__ = ["stein_second_moment", "stein_third_moment"]

_SAMPLES_AT_ONCE = 50_000


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
    d = lags * trajectories.n_inputs
    total, power, count = np.zeros((d, d)), 0.0, 0
    for y, v in _samples(trajectories, lags, first_lag, stride):
        squared = y**2
        total += (v * squared[:, None]).T @ v
        power += float(squared.sum())
        count += len(y)
    return MomentSum((total - power * np.eye(d)) / 2, float(count))


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
    K = whitening.shape[1]
    raw, once, count = np.zeros((K, K * K)), np.zeros(K), 0
    for y, v in _samples(trajectories, lags, first_lag, stride):
        z = v @ whitening
        weighted = z * (y**3)[:, None]
        raw += weighted.T @ (z[:, :, None] * z[:, None, :]).reshape(len(y), K * K)
        once += weighted.sum(axis=0)
        count += len(y)
    flat = np.einsum("a,bc->abc", once, whitening.T @ whitening)
    total = raw.reshape(K, K, K) - flat - flat.transpose(1, 0, 2) - flat.transpose(1, 2, 0)
    return MomentSum(total / 6, float(count))


def _samples(
    trajectories: Trajectories, lags: int, first_lag: int, stride: int
) -> Iterator[tuple[Float[np.ndarray, " S"], Float[np.ndarray, "S d"]]]:
    """Known outputs and the lagged inputs of each, some at a time."""
    if trajectories.n_outputs != 1:
        raise DataError(
            f"{trajectories.n_outputs} outputs",
            "one output for Stein's moments",
            "use the U-statistics (ustat_moments)",
        )
    start = lags + first_lag - 1
    at_once = max(1, _SAMPLES_AT_ONCE // trajectories.inputs.shape[1])
    for first in range(0, len(trajectories), at_once):
        part = trajectories[first : first + at_once]
        known = part.known()[:, start::stride, 0]
        outputs = part.outputs[:, start::stride, 0][known]
        rows = lagged_inputs(part.inputs, lags, first_lag)[:, ::stride][known]
        for sample in range(0, len(outputs), _SAMPLES_AT_ONCE):
            some = slice(sample, sample + _SAMPLES_AT_ONCE)
            yield outputs[some], rows[some]
