"""Noise covariances to start EM with, from what the first systems leave of the outputs: four variants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int64

from spikeline.dynamics.starts.autocovariances import autocovariances
from spikeline.dynamics.starts.ho_kalman import Realisation
from spikeline.dynamics.starts.noise_of_autocovariances import at_least, noise_of_autocovariances
from spikeline.dynamics.systems import LinearSystem
from spikeline.dynamics.trajectories import Trajectories

__all__ = ["NoiseVariant", "with_covariance_noise", "with_fixed_noise", "with_noise", "with_noise_from_residuals"]

NoiseVariant = Literal["residuals_inflated", "residuals", "residual_covariance", "fixed"]

_LAGS = 4
_Q_FLOOR, _R_FLOOR = 1e-3, 5e-2  # shares of the residuals' variance
_S_FLOOR = 1e-3
_LEAST_SIZE = 1e-6  # of residuals, where outputs are of size one: without noise, covariances have an inverse still
_INFLATION, _LEAST_INFLATED = 0.3, 0.1
_FIXED = 0.1


def with_noise(
    realisations: Sequence[Realisation],
    trajectories: Trajectories,
    variant: NoiseVariant,
    labels: Int64[np.ndarray, " N"] | None = None,
) -> list[LinearSystem]:
    """Give each realisation Q, R, mu and S, the way a setting says.

    Parameters
    ----------
    realisations
        In balanced coordinates (`ho_kalman.realise`), in which sizes of a state mean the same for all.
    trajectories
        Whose inputs drive them; inputs and outputs of about unit variance, which the variants' constants are made for.
    variant
        ``StartSettings.noise``.
    labels
        Which realisation each trajectory belongs to. None: the one whose response to the inputs leaves the least sum of
        squares; without inputs all leave the same.
    """
    if variant == "fixed":
        return with_fixed_noise(realisations, trajectories)
    if variant == "residual_covariance":
        return with_covariance_noise(realisations, trajectories, labels)
    return with_noise_from_residuals(realisations, trajectories, labels, inflated=variant == "residuals_inflated")


def with_noise_from_residuals(
    realisations: Sequence[Realisation],
    trajectories: Trajectories,
    labels: Int64[np.ndarray, " N"] | None = None,
    *,
    inflated: bool = True,
) -> list[LinearSystem]:
    """Q and R from the autocovariances of residuals: Gamma_j = C A^j P C' for j >= 1 and Gamma_0 = C P C' + R.

    P = A P A' + Q is the states' covariance.

    Parameters
    ----------
    realisations, trajectories, labels
        As for `with_noise`.
    inflated
        Whether Q is made larger on purpose: EM started at a small Q, be it the true one, crawls.
    """
    made = []
    for system, residuals, known in _residuals_of_each(realisations, trajectories, labels):
        gammas = _autocovariances(residuals, known)
        Q, R = noise_of_autocovariances(system.A, system.C, gammas)
        size = _size(gammas[0])
        Q, R = at_least(Q, _Q_FLOOR * size), at_least(R, _R_FLOOR * size)
        n = len(Q)
        S = max(float(np.trace(Q)) / n, _S_FLOOR) * np.eye(n)
        if inflated:
            Q = Q + _INFLATION * max(float(np.trace(Q)) / n, _LEAST_INFLATED) * np.eye(n)
            S = _INFLATION * np.eye(n)
        made.append(_system(system, Q, R, S))
    return made


def with_covariance_noise(
    realisations: Sequence[Realisation], trajectories: Trajectories, labels: Int64[np.ndarray, " N"] | None = None
) -> list[LinearSystem]:
    """Half of the residuals' covariance each: R is half of it, and Q = c I for which tr C P C' is the other half.

    Parameters
    ----------
    realisations, trajectories, labels
        As for `with_noise`.
    """
    from scipy.linalg import solve_discrete_lyapunov

    made = []
    for system, residuals, known in _residuals_of_each(realisations, trajectories, labels):
        covariance = _autocovariances(residuals, known)[0]
        size = _size(covariance)
        n = len(system.A)
        of_unit_noise = solve_discrete_lyapunov(system.A, np.eye(n))
        seen = float(np.trace(system.C @ of_unit_noise @ system.C.T))
        scale = float(np.trace(covariance)) / 2 / max(seen, np.finfo(float).tiny)
        Q = max(scale, _Q_FLOOR * size) * np.eye(n)
        made.append(_system(system, Q, at_least(covariance / 2, _R_FLOOR * size), Q))
    return made


def with_fixed_noise(realisations: Sequence[Realisation], trajectories: Trajectories) -> list[LinearSystem]:
    """Q = 0.1 I, and R = 0.1 times the variance of each output.

    Parameters
    ----------
    realisations, trajectories
        As for `with_noise`.
    """
    n = len(realisations[0].A)
    known = trajectories.known()
    variances = [trajectories.outputs[..., q][known[..., q]].var() for q in range(trajectories.n_outputs)]
    R = _FIXED * np.diag(np.array(variances))
    return [_system(system, _FIXED * np.eye(n), R, _INFLATION * np.eye(n)) for system in realisations]


def _system(system: Realisation, Q: np.ndarray, R: np.ndarray, S: np.ndarray) -> LinearSystem:
    return LinearSystem(system.A, system.B, system.C, system.D, Q, R, np.zeros(len(Q)), S)


def _residuals_of_each(
    realisations: Sequence[Realisation], trajectories: Trajectories, labels: Int64[np.ndarray, " N"] | None
) -> list[tuple[Realisation, Float[np.ndarray, "N_own T_own q"], Bool[np.ndarray, "N_own T_own q"]]]:
    """Each realisation with what it leaves of its trajectories' outputs, cut to the longest, and what of it is known.

    A realisation that no trajectory belongs to gets all.
    """
    known = trajectories.known()
    if labels is None:
        squares = [(_residuals(system, trajectories, known) ** 2).sum(axis=(1, 2)) for system in realisations]
        labels = np.argmin(squares, axis=0)
    made = []
    for k, system in enumerate(realisations):
        own = np.flatnonzero(labels == k)
        own = own if len(own) else np.arange(len(trajectories))
        longest = int(trajectories.lengths[own].max())
        made.append((system, _residuals(system, trajectories[own], known[own])[:, :longest], known[own, :longest]))
    return made


def _residuals(
    system: Realisation, trajectories: Trajectories, known: Bool[np.ndarray, "N T q"]
) -> Float[np.ndarray, "N T q"]:
    """Outputs less the response to the inputs; zero where they are not known."""
    state = np.zeros((len(trajectories), len(system.A)))
    inside = trajectories.inside()
    left = np.zeros(trajectories.outputs.shape)
    for t in range(left.shape[1]):
        here = np.where(inside[:, t, None], trajectories.inputs[:, t], 0.0)
        expected = state @ system.C.T + here @ system.D.T
        left[:, t] = np.where(known[:, t], trajectories.outputs[:, t] - expected, 0.0)
        state = state @ system.A.T + here @ system.B.T
    return left


def _autocovariances(
    residuals: Float[np.ndarray, "N T q"], known: Bool[np.ndarray, "N T q"]
) -> list[Float[np.ndarray, "q q"]]:
    """After a quarter of the steps, when the first state is forgotten."""
    start = residuals.shape[1] // 4
    return autocovariances(residuals[:, start:], known[:, start:], _LAGS)


def _size(covariance: Float[np.ndarray, "q q"]) -> float:
    """Mean variance of the residuals."""
    return max(float(np.trace(covariance)) / len(covariance), _LEAST_SIZE)
