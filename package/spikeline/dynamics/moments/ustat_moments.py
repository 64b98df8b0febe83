"""Second and third moments of impulse responses as U-statistics over windows that do not overlap.

With white inputs of unit variance, h[t] = vec(y[t] v[t]') has the mean vec(G) over trajectories of one component, where
v are the lagged inputs and G the impulse response. The output of a window depends on inputs of earlier ones too, but
its own inputs enter nowhere before it, and so, taken from the latest on, products of two or three different windows
have the mean vec(G)^(x)2 and vec(G)^(x)3 without bias, whatever the noise and the response beyond the lags. Inputs must
be independent over time, and need not be Gaussian.

A window counts only if all outputs at its last step are known. Pairs and triples are then those of the windows that are
there, and nothing is biased as long as what is missing does not depend on what it would have been.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Int64

from spikeline.dynamics.moments.lagged_inputs import lagged_inputs
from spikeline.dynamics.moments.moment_sums import MomentSum
from spikeline.dynamics.trajectories import Trajectories

__all__ = ["ustat_second_moment", "ustat_third_moment"]

_VALUES_AT_ONCE = 4_000_000


def ustat_second_moment(trajectories: Trajectories, lags: int, first_lag: int = 0) -> MomentSum:
    """Sum over pairs of windows of vec(G) vec(G)'; its value estimates sum_k p_k vec(G_k) vec(G_k)'.

    Parameters
    ----------
    trajectories
        With white inputs of unit variance; at least ``2 * lags + first_lag`` steps, or they do not count.
    lags
        How much of the response.
    first_lag
        0, or 1 where outputs have no feedthrough.

    Returns
    -------
    MomentSum
        Of (d, d) with d = q * lags * m: outputs outermost, then lags, then inputs.
    """
    d = trajectories.n_outputs * lags * trajectories.n_inputs
    total, count = np.zeros((d, d)), 0.0
    for products, windows in _windows(trajectories, lags, first_lag):
        summed, flat = products.sum(axis=1), products.reshape(-1, d)
        total += summed.T @ summed - flat.T @ flat
        count += float((windows * (windows - 1)).sum())
    return MomentSum(total, count)


def ustat_third_moment(
    trajectories: Trajectories, lags: int, whitening: Float[np.ndarray, "d K"], first_lag: int = 0
) -> MomentSum:
    """Sum over triples of windows of (W' vec(G))^(x)3, in the K dimensions of the whitened second moment.

    Parameters
    ----------
    trajectories, lags, first_lag
        As for `ustat_second_moment`; at least ``3 * lags + first_lag`` steps.
    whitening
        W.

    Returns
    -------
    MomentSum
        Of (K, K, K), symmetric.
    """
    K = whitening.shape[1]
    total, count = np.zeros((K, K, K)), 0.0
    for products, windows in _windows(trajectories, lags, first_lag):
        z = products @ whitening
        one = z.sum(axis=1)
        two = np.einsum("ija,ijb->iab", z, z)
        mixed = np.einsum("iab,ic->abc", two, one)
        flat = z.reshape(-1, K)
        total += np.einsum("ia,ib,ic->abc", one, one, one, optimize=True)
        total -= mixed + mixed.transpose(0, 2, 1) + mixed.transpose(2, 0, 1)
        total += 2 * np.einsum("ia,ib,ic->abc", flat, flat, flat, optimize=True)
        count += float((windows * (windows - 1) * (windows - 2)).sum())
    return MomentSum(total, count)


def _windows(
    trajectories: Trajectories, lags: int, first_lag: int
) -> Iterator[tuple[Float[np.ndarray, "N J d"], Int64[np.ndarray, " N"]]]:
    """Of some trajectories and one place of the grid: h in each window, zero beyond the end; and how many windows."""
    d = trajectories.n_outputs * lags * trajectories.n_inputs
    start = lags + first_lag - 1
    at_once = max(1, _VALUES_AT_ONCE // max(1, trajectories.inputs.shape[1] * d // lags))
    for first in range(0, len(trajectories), at_once):
        part = trajectories[first : first + at_once]
        rows = lagged_inputs(part.inputs, lags, first_lag)
        complete = part.known().all(axis=2)
        for offset in range(min(lags, rows.shape[1])):
            within = complete[:, start + offset :: lags]
            outputs = np.where(within[..., None], part.outputs[:, start + offset :: lags], 0.0)
            covariates = np.where(within[..., None], rows[:, offset::lags], 0.0)
            products = np.einsum("ijq,ijv->ijqv", outputs, covariates).reshape(*within.shape, d)
            yield products, within.sum(axis=1)
