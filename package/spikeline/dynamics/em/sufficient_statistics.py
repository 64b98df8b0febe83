"""What the smoothed states of one component say of its matrices: sums over trajectories."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Float

from spikeline.dynamics.em.kalman_smoother import SmoothedStates

__all__ = ["SufficientStatistics", "sufficient_statistics"]


@dataclass(frozen=True)
class SufficientStatistics:
    """Sums over trajectories, weighted by responsibilities; those of trajectories of several lengths are added.

    With z = (x, u): ``next`` runs over steps that have a next one, ``all`` over all steps.

    Parameters
    ----------
    zz_next, xz_next, xx_next
        E z[t] z[t]', E x[t + 1] z[t]', E x[t + 1] x[t + 1]'.
    zz_all, yz_all, yy_all
        E z[t] z[t]', E y[t] z[t]', y[t] y[t]'.
    first, first_square
        E x[0], E x[0] x[0]'.
    n_next, n_all, n_first
        Steps with a next one, steps, and trajectories: sums of weights.
    """

    zz_next: Float[np.ndarray, "n_plus_m n_plus_m"]
    xz_next: Float[np.ndarray, "n n_plus_m"]
    xx_next: Float[np.ndarray, "n n"]
    zz_all: Float[np.ndarray, "n_plus_m n_plus_m"]
    yz_all: Float[np.ndarray, "q n_plus_m"]
    yy_all: Float[np.ndarray, "q q"]
    first: Float[np.ndarray, " n"]
    first_square: Float[np.ndarray, "n n"]
    n_next: float
    n_all: float
    n_first: float

    def __add__(self, other: SufficientStatistics) -> SufficientStatistics:
        return SufficientStatistics(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


def sufficient_statistics(
    states: SmoothedStates,
    inputs: Float[np.ndarray, "N T m"],
    outputs: Float[np.ndarray, "N T q"],
    responsibilities: Float[np.ndarray, " N"],
) -> SufficientStatistics:
    """Sum over trajectories of one length.

    Parameters
    ----------
    states
        Under the present matrices of the component.
    inputs, outputs
        Of the same trajectories.
    responsibilities
        Probability that each is of this component.
    """
    steps, n = states.means.shape[1:]
    weight = float(responsibilities.sum())
    z = np.concatenate([states.means, inputs], axis=2)
    weighted = z * responsibilities[:, None, None]

    def product(left: np.ndarray, right: np.ndarray) -> np.ndarray:
        return left.reshape(-1, left.shape[2]).T @ right.reshape(-1, right.shape[2])

    zz_last = weighted[:, -1].T @ z[:, -1]
    zz_next = product(weighted, z) - zz_last
    zz_next[:n, :n] += weight * states.covariances[:-1].sum(axis=0)
    zz_all = zz_next + zz_last
    zz_all[:n, :n] += weight * states.covariances[-1]
    xz_next = product(states.means[:, 1:], weighted[:, :-1])
    xz_next[:, :n] += weight * states.next_covariances.sum(axis=0)
    xx_next = product(weighted[:, 1:, :n], states.means[:, 1:]) + weight * states.covariances[1:].sum(axis=0)
    first = weighted[:, 0, :n]
    return SufficientStatistics(
        zz_next=zz_next,
        xz_next=xz_next,
        xx_next=xx_next,
        zz_all=zz_all,
        yz_all=product(outputs, weighted),
        yy_all=product(outputs * responsibilities[:, None, None], outputs),
        first=first.sum(axis=0),
        first_square=first.T @ states.means[:, 0] + weight * states.covariances[0],
        n_next=weight * (steps - 1),
        n_all=weight * steps,
        n_first=weight,
    )
