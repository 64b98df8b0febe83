"""Noise covariances to start EM with, from what the tensor stage's systems leave of the outputs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from spikeline.dynamics.starts.ho_kalman import Realisation
from spikeline.dynamics.systems import LinearSystem
from spikeline.dynamics.trajectories import Trajectories

__all__ = ["with_noise_from_residuals"]

_LAGS = 4
_Q_FLOOR, _R_FLOOR = 1e-3, 5e-2  # shares of the residuals' variance
_INFLATION, _LEAST_INFLATED = 0.3, 0.1
_RIDGE = 1e-6


def with_noise_from_residuals(realisations: Sequence[Realisation], trajectories: Trajectories) -> list[LinearSystem]:
    """Give each realisation Q, R, mu and S.

    Each trajectory goes to the realisation whose noise-free response to its inputs is nearest. The autocovariances of
    what is left, Gamma_j = C A^j P C' for j >= 1 and Gamma_0 = C P C' + R, give the states' covariance P by least
    squares, then Q = P - A P A' and R. Q is inflated on purpose: EM started at a small Q, be it the true one, crawls.

    Parameters
    ----------
    realisations
        In balanced coordinates (`ho_kalman.realise`), in which an inflation means the same for all.
    trajectories
        Whose inputs drive them.
    """
    residuals = np.stack([_residuals(system, trajectories) for system in realisations])
    nearest = (residuals**2).sum(axis=(2, 3)).argmin(axis=0)
    everything = np.arange(len(trajectories))
    made = []
    for k, system in enumerate(realisations):
        own = np.flatnonzero(nearest == k)
        own = own if len(own) else everything
        Q, R = _noise(system, residuals[k, own], trajectories.lengths[own])
        n = len(system.A)
        Q = Q + _INFLATION * max(float(np.trace(Q)) / n, _LEAST_INFLATED) * np.eye(n)
        made.append(LinearSystem(system.A, system.B, system.C, system.D, Q, R, np.zeros(n), _INFLATION * np.eye(n)))
    return made


def _residuals(system: Realisation, trajectories: Trajectories) -> Float[np.ndarray, "N T q"]:
    """Outputs less the response to the inputs; zero beyond each trajectory's end."""
    state = np.zeros((len(trajectories), len(system.A)))
    inside = trajectories.inside()
    left = np.zeros(trajectories.outputs.shape)
    for t in range(left.shape[1]):
        here = np.where(inside[:, t, None], trajectories.inputs[:, t], 0.0)
        seen = np.where(inside[:, t, None], trajectories.outputs[:, t], 0.0)
        left[:, t] = np.where(inside[:, t, None], seen - state @ system.C.T - here @ system.D.T, 0.0)
        state = state @ system.A.T + here @ system.B.T
    return left


def _noise(
    system: Realisation, residuals: Float[np.ndarray, "N T q"], lengths: np.ndarray
) -> tuple[Float[np.ndarray, "n n"], Float[np.ndarray, "q q"]]:
    n, q = len(system.A), len(system.C)
    start = residuals.shape[1] // 4  # where the first state is forgotten
    gammas = []
    for lag in range(min(_LAGS, residuals.shape[1] - start - 1) + 1):
        ahead, behind = residuals[:, start + lag :], residuals[:, start : residuals.shape[1] - lag]
        count = np.maximum(lengths - start - lag, 0).sum()
        gammas.append(np.einsum("itq,itp->qp", ahead, behind) / max(1, count))
    # vec(C A^j P C') = (C kron C A^j) vec(P) with columns stacked
    rows, power = [], np.eye(n)
    for _ in gammas[1:]:
        power = system.A @ power
        rows.append(np.kron(system.C, system.C @ power))
    size = float(np.trace(gammas[0])) / q
    if rows:
        design, target = np.concatenate(rows), np.concatenate([gamma.T.ravel() for gamma in gammas[1:]])
        square = design.T @ design
        square += _RIDGE * max(float(np.trace(square)) / len(square), np.finfo(float).tiny) * np.eye(len(square))
        P = np.linalg.solve(square, design.T @ target).reshape(n, n)
    else:
        P = np.zeros((n, n))
    P = _at_least((P + P.T) / 2, 0.0)
    Q = _at_least(P - system.A @ P @ system.A.T, _Q_FLOOR * size)
    R = _at_least(gammas[0] - system.C @ P @ system.C.T, _R_FLOOR * size)
    return Q, R


def _at_least(matrix: Float[np.ndarray, "n n"], floor: float) -> Float[np.ndarray, "n n"]:
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    return (vectors * np.maximum(values, floor)) @ vectors.T
