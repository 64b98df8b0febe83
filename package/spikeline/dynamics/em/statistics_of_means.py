"""From sums over smoothed means and sums of covariances to the statistics of an M-step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from spikeline.dynamics.em.shared_covariances import CovarianceSums
from spikeline.dynamics.em.sufficient_statistics import SufficientStatistics

__all__ = ["MeanSums", "assembled"]


@dataclass(frozen=True)
class MeanSums:
    """Products of smoothed means x and data, of each component, summed over steps and trajectories with weights.

    Parameters
    ----------
    xx, xu, yx
        Over all steps.
    last, first
        Of (x, u) with itself at each trajectory's last step, and of x at its first.
    next_x, next_u
        x[t + 1] x[t]' and x[t + 1] u[t]'.
    first_x
        x[0].
    ww
        Of w = (y, u) with itself, over all steps.
    """

    xx: Float[np.ndarray, "K n n"]
    xu: Float[np.ndarray, "K n m"]
    yx: Float[np.ndarray, "K q n"]
    last: Float[np.ndarray, "K n_plus_m n_plus_m"]
    first: Float[np.ndarray, "K n n"]
    next_x: Float[np.ndarray, "K n n"]
    next_u: Float[np.ndarray, "K n m"]
    first_x: Float[np.ndarray, "K n"]
    ww: Float[np.ndarray, "K q_plus_m q_plus_m"]


def assembled(
    means: MeanSums,
    covariances: CovarianceSums,
    weights: Float[np.ndarray, " K"],
    weighted_steps: Float[np.ndarray, " K"],
) -> tuple[SufficientStatistics, ...]:
    """Statistics of each component.

    Parameters
    ----------
    means, covariances
        Summed with the same weights.
    weights
        Sums of the trajectories' weights.
    weighted_steps
        Sums of weights times lengths.
    """
    n, q = means.xx.shape[-1], means.yx.shape[1]
    statistics = []
    for k, (weight, steps) in enumerate(zip(weights.tolist(), weighted_steps.tolist(), strict=True)):
        zz_all = np.block([[means.xx[k], means.xu[k]], [means.xu[k].T, means.ww[k, q:, q:]]])
        zz_next = zz_all - means.last[k]
        zz_all[:n, :n] += covariances.all[k]
        zz_next[:n, :n] += covariances.all[k] - covariances.last[k]
        statistics.append(
            SufficientStatistics(
                zz_next=zz_next,
                xz_next=np.concatenate([means.next_x[k] + covariances.lagged[k], means.next_u[k]], axis=1),
                xx_next=means.xx[k] - means.first[k] + covariances.all[k] - covariances.first[k],
                zz_all=zz_all,
                yz_all=np.concatenate([means.yx[k], means.ww[k, :q, q:]], axis=1),
                yy_all=means.ww[k, :q, :q],
                first=means.first_x[k],
                first_square=means.first[k] + covariances.first[k],
                n_next=steps - weight,
                n_all=steps,
                n_first=weight,
            )
        )
    return tuple(statistics)
