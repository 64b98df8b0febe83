"""A switching linear system fitted to trajectories by EM with approximate states."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int64

from spikeline.dynamics.neural.switching.switching_filter import (
    FilteredRegimes,
    collapsed,
    filter_regimes,
    predicted_pairs,
)
from spikeline.dynamics.neural.switching.switching_system import SwitchingSystem
from spikeline.dynamics.systems import spectral_radius
from spikeline.dynamics.trajectories import Trajectories
from spikeline.errors import NumericalError

__all__ = ["SwitchingFit", "fit_switching", "most_frequent_regime", "switching_forecast"]

_FLOOR = 1e-6
_RIDGE = 1e-8
_LARGEST_RADIUS = 1.0  # a regime that a trial visits now and then would run away otherwise
_PATIENCE = 3
# Of Q's mean eigenvalue. Going back through a step multiplies by about the inverse of A where Q is small, and what
# regimes disagree about grows by that from step to step; with one regime there is nothing to disagree about.
_LEAST_OF_Q = 0.1


@dataclass(frozen=True)
class SwitchingFit:
    """The best iteration of EM.

    Parameters
    ----------
    system
        Its system.
    log_likelihoods
        Approximate, of all trajectories together, before each M-step, nats. They may fall.
    """

    system: SwitchingSystem
    log_likelihoods: Float[np.ndarray, " iterations"]


@dataclass
class _Sums:
    """Expected sums over steps: of each regime those into it, and of outputs over all steps."""

    zz: Float[np.ndarray, "M n_plus_m n_plus_m"]
    xz: Float[np.ndarray, "M n n_plus_m"]
    xx: Float[np.ndarray, "M n n"]
    moves: Float[np.ndarray, "M M"]
    out_zz: Float[np.ndarray, "n_plus_m n_plus_m"]
    out_yz: Float[np.ndarray, "q n_plus_m"]
    first: Float[np.ndarray, " M"]
    mu: Float[np.ndarray, " n"]
    square: Float[np.ndarray, "n n"]
    occupied: Float[np.ndarray, "N M"]


def fit_switching(trajectories: Trajectories, start: SwitchingSystem, iterations: int) -> SwitchingFit:
    """EM with approximate states (`switching_filter`), of which the best iteration is kept.

    Regimes are stable, and none of their Q has an eigenvalue below a tenth of their mean: Kim's way back through the
    steps runs away otherwise. With approximate states the likelihood may fall: EM ends after so many iterations, or
    after three in a row that do not exceed the best, or where the likelihood leaves the numbers.

    Raises
    ------
    NumericalError
        If the likelihood of the start is not finite.
    """
    start = replace(start, Q=np.stack([_steady(Q, len(start.Q)) for Q in start.Q]))
    system, best, history, fallen = start, start, [], 0
    floor = _FLOOR * float(trajectories.outputs[trajectories.inside()].var())
    for _ in range(iterations + 1):
        filtered = filter_regimes(system, trajectories)
        total = float(filtered.log_likelihood.sum())
        if not history and not np.isfinite(total):
            raise NumericalError(
                f"the switching system's log-likelihood is {total} before the first step",
                "a finite one",
                "take fewer regimes or states, or check the outputs' scale",
            )
        fallen = 0 if not history or total > max(history) else fallen + 1
        if fallen == 0:
            best = system
        history.append(total)
        if fallen == _PATIENCE or not np.isfinite(total):
            break
        system = _maximised(system, _smoothed_sums(system, trajectories, filtered), trajectories, floor)
    return SwitchingFit(best, np.array(history))


def most_frequent_regime(system: SwitchingSystem, trajectories: Trajectories) -> Int64[np.ndarray, " N"]:
    """The regime that each trajectory is in most of its time."""
    occupied = _smoothed_sums(system, trajectories, filter_regimes(system, trajectories)).occupied
    return occupied.argmax(axis=1).astype(np.int64)


def switching_forecast(
    system: SwitchingSystem, trajectories: Trajectories, ahead: int = 1
) -> Float[np.ndarray, "N T q"]:
    """Mean of y[t] given outputs up to t - ``ahead`` and inputs up to t; NaN before there is one and beyond the end."""
    filtered = filter_regimes(system, trajectories)
    inside = trajectories.inside()
    inputs = np.where(inside[..., None], trajectories.inputs, 0.0)
    N, T = inside.shape
    made = np.full((N, T, len(system.C)), np.nan)
    for t in range(ahead, T):
        weights, means = filtered.weights[:, t - ahead], filtered.means[:, t - ahead]
        for step in range(t - ahead, t):
            joint = weights[:, :, None] * system.transitions
            driven = np.einsum("jab,nb->nja", system.B, inputs[:, step])
            moved = np.einsum("jab,nib->nija", system.A, means) + driven[:, None]
            weights = joint.sum(axis=1)
            means = (joint[..., None] * moved).sum(axis=1) / np.maximum(weights, np.finfo(float).tiny)[..., None]
        state = (weights[..., None] * means).sum(axis=1)
        made[:, t] = state @ system.C.T + inputs[:, t] @ system.D.T
    return np.where(inside[..., None], made, np.nan)


def _smoothed_sums(system: SwitchingSystem, trajectories: Trajectories, filtered: FilteredRegimes) -> _Sums:
    """Go back from each trajectory's end, and sum what the M-step needs."""
    inside = trajectories.inside()
    inputs = np.where(inside[..., None], trajectories.inputs, 0.0)
    outputs = np.where(inside[..., None], trajectories.outputs, 0.0)
    (N, T), M, n = inside.shape, len(system.A), len(system.mu)
    m, q = inputs.shape[2], outputs.shape[2]
    sums = _Sums(
        np.zeros((M, n + m, n + m)), np.zeros((M, n, n + m)), np.zeros((M, n, n)), np.zeros((M, M)),
        np.zeros((n + m, n + m)), np.zeros((q, n + m)), np.zeros(M), np.zeros(n), np.zeros((n, n)), np.zeros((N, M)),
    )  # fmt: skip
    last = trajectories.lengths - 1
    weight, mean, covariance = filtered.weights[:, -1], filtered.means[:, -1], filtered.covariances[:, -1]
    for t in range(T - 1, -1, -1):
        if t < T - 1:
            before = (filtered.weights[:, t], filtered.means[:, t], filtered.covariances[:, t])
            goes_on = t < last  # else t is the end, or beyond it
            stepped = _one_back(system, before, (weight, mean, covariance), inputs[:, t], goes_on, sums)
            weight, mean, covariance = (
                np.where(goes_on.reshape(-1, *[1] * (new.ndim - 1)), new, old)
                for new, old in zip(stepped, before, strict=True)
            )
        counted = weight * inside[:, t, None]
        sums.occupied += counted
        state = (counted[..., None] * mean).sum(axis=1)
        square = np.einsum("nj,njab->ab", counted, covariance) + np.einsum("nj,nja,njb->ab", counted, mean, mean)
        sums.out_zz[:n, :n] += square
        sums.out_zz[:n, n:] += state.T @ inputs[:, t]
        sums.out_zz[n:, n:] += inputs[:, t].T @ inputs[:, t]
        sums.out_yz[:, :n] += outputs[:, t].T @ state
        sums.out_yz[:, n:] += outputs[:, t].T @ inputs[:, t]
        if t == 0:
            sums.first, sums.mu, sums.square = counted.sum(axis=0), state.sum(axis=0), square
    sums.out_zz[n:, :n] = sums.out_zz[:n, n:].T
    return sums


def _one_back(
    system: SwitchingSystem,
    before: tuple[np.ndarray, np.ndarray, np.ndarray],
    after: tuple[np.ndarray, np.ndarray, np.ndarray],
    inputs: Float[np.ndarray, "N m"],
    goes_on: np.ndarray,
    sums: _Sums,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Smoothed weights, means and covariances of a step, given those of the next; the move is added to the sums."""
    weight, mean, covariance = before
    next_weight, next_mean, next_covariance = after
    n = mean.shape[-1]
    ahead_mean, ahead_covariance = predicted_pairs(system, mean, covariance, inputs)
    gain = np.linalg.solve(ahead_covariance, system.A @ covariance[:, :, None]).swapaxes(-1, -2)
    pair_mean = mean[:, :, None] + np.einsum("nijab,nijb->nija", gain, next_mean[:, None] - ahead_mean)
    change = gain @ (next_covariance[:, None] - ahead_covariance) @ gain.swapaxes(-1, -2)
    pair_covariance = covariance[:, :, None] + change
    prior = weight[:, :, None] * system.transitions
    joint = next_weight[:, None] * prior / np.maximum(prior.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    counted = joint * goes_on[:, None, None]
    wide = np.broadcast_to(inputs[:, None, None], (*pair_mean.shape[:3], inputs.shape[1]))
    z = np.concatenate([pair_mean, wide], axis=-1)
    sums.zz += np.einsum("nij,nija,nijb->jab", counted, z, z, optimize=True)
    sums.zz[:, :n, :n] += np.einsum("nij,nijab->jab", counted, pair_covariance)
    sums.xz += np.einsum("nij,nja,nijb->jab", counted, next_mean, z, optimize=True)
    cross = next_covariance[:, None] @ gain.swapaxes(-1, -2)
    sums.xz[:, :, :n] += np.einsum("nij,nijab->jab", counted, cross)
    into = counted.sum(axis=1)
    sums.xx += np.einsum("nj,njab->jab", into, next_covariance)
    sums.xx += np.einsum("nj,nja,njb->jab", into, next_mean, next_mean, optimize=True)
    sums.moves += counted.sum(axis=0)
    return collapsed(joint, pair_mean, pair_covariance, axis=2)


def _maximised(system: SwitchingSystem, sums: _Sums, trajectories: Trajectories, floor: float) -> SwitchingSystem:
    n = len(system.mu)
    A, B, Q = system.A.copy(), system.B.copy(), system.Q.copy()
    into = sums.moves.sum(axis=0)
    for regime in range(len(A)):
        if into[regime] < sums.zz.shape[1]:
            continue  # too little to learn from: it keeps its matrices
        AB = _regression(sums.xz[regime], sums.zz[regime])
        AB[:, :n] *= min(1.0, _LARGEST_RADIUS / max(spectral_radius(AB[:, :n]), np.finfo(float).tiny))
        A[regime], B[regime] = AB[:, :n], AB[:, n:]
        left = sums.xx[regime] - AB @ sums.xz[regime].T - sums.xz[regime] @ AB.T + AB @ sums.zz[regime] @ AB.T
        Q[regime] = _steady(_floored(left / into[regime], floor), len(A))
    seen = trajectories.outputs[trajectories.inside()]
    CD = _regression(sums.out_yz, sums.out_zz)
    R = _floored((seen.T @ seen - CD @ sums.out_yz.T) / len(seen), floor)
    N = len(trajectories)
    mu = sums.mu / N
    S = _floored(sums.square / N - np.outer(mu, mu), floor)
    moves = sums.moves + _RIDGE
    return SwitchingSystem(
        A, B, Q, CD[:, :n], CD[:, n:], R, mu, S, sums.first / N, moves / moves.sum(axis=1, keepdims=True)
    )


def _regression(cross: np.ndarray, square: np.ndarray) -> np.ndarray:
    ridge = _RIDGE * float(np.trace(square)) / len(square)
    return np.linalg.solve(square + ridge * np.eye(len(square)), cross.T).T


def _steady(Q: np.ndarray, n_regimes: int) -> np.ndarray:
    return _floored(Q, _LEAST_OF_Q * float(np.trace(Q)) / len(Q)) if n_regimes > 1 else Q


def _floored(covariance: np.ndarray, floor: float) -> np.ndarray:
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    return (vectors * np.maximum(values, floor)) @ vectors.T
