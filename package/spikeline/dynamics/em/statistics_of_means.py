"""From sums over smoothed means and sums of covariances to the statistics of an M-step."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Float

from spikeline.dynamics.em.shared_covariances import CovarianceSums
from spikeline.dynamics.em.sufficient_statistics import SufficientStatistics

__all__ = ["MeanSums", "assembled", "joined"]


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

    def __add__(self, other: MeanSums) -> MeanSums:
        return MeanSums(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


def joined(
    xx: Float[np.ndarray, "K n n"], xu: Float[np.ndarray, "K n m"], uu: Float[np.ndarray, "K m m"]
) -> Float[np.ndarray, "K n_plus_m n_plus_m"]:
    """[[xx, xu], [xu', uu]] of each component."""
    K, n, m = xu.shape
    made = np.empty((K, n + m, n + m))
    made[:, :n, :n], made[:, :n, n:], made[:, n:, :n], made[:, n:, n:] = xx, xu, xu.swapaxes(1, 2), uu
    return made


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
    zz_all = joined(means.xx, means.xu, means.ww[:, q:, q:])
    zz_next = zz_all - means.last
    zz_all[:, :n, :n] += covariances.all
    zz_next[:, :n, :n] += covariances.next
    stacks = {
        "zz_next": zz_next,
        "xz_next": np.concatenate([means.next_x + covariances.lagged, means.next_u], axis=2),
        "xx_next": means.xx - means.first + covariances.all - covariances.first,
        "zz_all": zz_all,
        "yz_all": np.concatenate([means.yx, means.ww[:, :q, q:]], axis=2),
        "yy_all": means.ww[:, :q, :q],
        "first": means.first_x,
        "first_square": means.first + covariances.first,
    }
    return tuple(
        SufficientStatistics(
            **{name: values[k] for name, values in stacks.items()},
            n_next=steps - weight,
            n_all=steps,
            n_first=weight,
        )
        for k, (weight, steps) in enumerate(zip(weights.tolist(), weighted_steps.tolist(), strict=True))
    )
