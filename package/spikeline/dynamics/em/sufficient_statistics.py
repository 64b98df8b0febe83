"""What the smoothed states of one component say of its matrices: sums over trajectories, and the matrices they give."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Float

from spikeline.dynamics.em.kalman_smoother import SmoothedStates
from spikeline.dynamics.systems import LinearSystem

__all__ = ["SufficientStatistics", "maximised", "sufficient_statistics"]

_RIDGE = 1e-8


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


def maximised(statistics: SufficientStatistics, floor: float, *, feedthrough: bool = True) -> tuple[LinearSystem, bool]:
    """The matrices of largest expected likelihood, in closed form.

    Parameters
    ----------
    statistics
        Of one component.
    floor
        No eigenvalue of a covariance falls below it.
    feedthrough
        Whether D is estimated; else it is zero, and C is the solution of the smaller regression.

    Returns
    -------
    tuple
        The system, and whether an eigenvalue was raised to the floor: then the likelihood may fall.
    """
    n = len(statistics.first)
    m = len(statistics.zz_all) - n
    AB = _regression(statistics.xz_next, statistics.zz_next)
    Q, q_raised = _floored((statistics.xx_next - AB @ statistics.xz_next.T) / statistics.n_next, floor)
    if feedthrough:
        CD = _regression(statistics.yz_all, statistics.zz_all)
    else:
        C = _regression(statistics.yz_all[:, :n], statistics.zz_all[:n, :n])
        CD = np.concatenate([C, np.zeros((len(C), m))], axis=1)
    R, r_raised = _floored((statistics.yy_all - CD @ statistics.yz_all.T) / statistics.n_all, floor)
    mu = statistics.first / statistics.n_first
    S, s_raised = _floored(statistics.first_square / statistics.n_first - np.outer(mu, mu), floor)
    system = LinearSystem(AB[:, :n], AB[:, n:], CD[:, :n], CD[:, n:], Q, R, mu, S)
    return system, q_raised or r_raised or s_raised


def _regression(
    cross: Float[np.ndarray, "rows columns"], square: Float[np.ndarray, "columns columns"]
) -> Float[np.ndarray, "rows columns"]:
    """cross square^-1; a ridge of rounding's size only where inputs or states do not determine it."""
    if np.linalg.cond(square) > 1 / _RIDGE**1.5:
        square = square + _RIDGE * np.trace(square) / len(square) * np.eye(len(square))
    return np.linalg.solve(square, cross.T).T


def _floored(covariance: Float[np.ndarray, "n n"], floor: float) -> tuple[Float[np.ndarray, "n n"], bool]:
    covariance = (covariance + covariance.T) / 2
    values, vectors = np.linalg.eigh(covariance)
    if values[0] >= floor:
        return covariance, False
    return (vectors * np.maximum(values, floor)) @ vectors.T, True
