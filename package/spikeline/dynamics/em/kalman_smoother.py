"""States of many trajectories of one system: covariances once, because they do not depend on data, then means.

Numpy reference. For trajectories of one length and without gaps the Riccati recursions cost O(T n^3) however many
trajectories there are; per trajectory only means are left, O(T (n^2 + n q + n m)).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from spikeline.dynamics.systems import LinearSystem

__all__ = ["SmoothedStates", "smooth"]


@dataclass(frozen=True)
class SmoothedStates:
    """What all outputs of a trajectory say of its states.

    Parameters
    ----------
    log_likelihood
        Of each trajectory, nats.
    means
        E x[t] given all outputs.
    covariances
        Of x[t] given all outputs; the same for all trajectories.
    next_covariances
        Cov(x[t + 1], x[t]) given all outputs.
    """

    log_likelihood: Float[np.ndarray, " N"]
    means: Float[np.ndarray, "N T n"]
    covariances: Float[np.ndarray, "T n n"]
    next_covariances: Float[np.ndarray, "T_less_1 n n"]


@dataclass(frozen=True)
class _Covariances:
    predicted: Float[np.ndarray, "T n n"]
    filtered: Float[np.ndarray, "T n n"]
    gains: Float[np.ndarray, "T n q"]
    roots: Float[np.ndarray, "T q q"]


def smooth(
    system: LinearSystem, inputs: Float[np.ndarray, "N T m"], outputs: Float[np.ndarray, "N T q"]
) -> SmoothedStates:
    """Kalman filter (Joseph form) and Rauch-Tung-Striebel smoother.

    Parameters
    ----------
    system
        Which made them.
    inputs, outputs
        Of trajectories of one length, every value of which is known.
    """
    steps, q = outputs.shape[1:]
    cov = _filter_covariances(system, steps)
    predicted = np.empty((len(outputs), steps, len(system.A)))
    filtered = np.empty_like(predicted)
    surprise = np.zeros(len(outputs))
    for t in range(steps):
        if t == 0:
            predicted[:, 0] = system.mu
        else:
            predicted[:, t] = filtered[:, t - 1] @ system.A.T + inputs[:, t - 1] @ system.B.T
        error = outputs[:, t] - predicted[:, t] @ system.C.T - inputs[:, t] @ system.D.T
        filtered[:, t] = predicted[:, t] + error @ cov.gains[t].T
        surprise += (np.linalg.solve(cov.roots[t], error.T) ** 2).sum(axis=0)
    determinants = 2 * np.log(np.einsum("tqq->tq", cov.roots)).sum()
    log_likelihood = -0.5 * (surprise + determinants + steps * q * np.log(2 * np.pi))

    means, covariances = filtered, cov.filtered.copy()
    next_covariances = np.empty((steps - 1, *system.A.shape))
    for t in range(steps - 2, -1, -1):
        back = np.linalg.solve(cov.predicted[t + 1], system.A @ cov.filtered[t]).T
        means[:, t] += (means[:, t + 1] - predicted[:, t + 1]) @ back.T
        covariances[t] += back @ (covariances[t + 1] - cov.predicted[t + 1]) @ back.T
        next_covariances[t] = covariances[t + 1] @ back.T
    return SmoothedStates(log_likelihood, means, covariances, next_covariances)


def _filter_covariances(system: LinearSystem, steps: int) -> _Covariances:
    n, q = len(system.A), len(system.R)
    predicted, filtered = np.empty((steps, n, n)), np.empty((steps, n, n))
    gains, roots = np.empty((steps, n, q)), np.empty((steps, q, q))
    P = system.S
    for t in range(steps):
        predicted[t] = P
        seen = system.C @ P @ system.C.T + system.R
        roots[t] = np.linalg.cholesky((seen + seen.T) / 2)
        gains[t] = np.linalg.solve(seen, system.C @ P).T
        kept = np.eye(n) - gains[t] @ system.C
        filtered[t] = kept @ P @ kept.T + gains[t] @ system.R @ gains[t].T
        P = system.A @ filtered[t] @ system.A.T + system.Q
        P = (P + P.T) / 2
    return _Covariances(predicted, filtered, gains, roots)
