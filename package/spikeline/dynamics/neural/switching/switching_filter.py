"""States and regimes of a switching system given outputs: approximate, because exact inference grows as M^T.

After each step the M^2 Gaussians (regime before, regime now) are replaced by M with the same means and covariances, one
for each regime now; going back likewise.

Source: Kim, Journal of Econometrics 60 (1994) 1-22; Murphy, "Switching Kalman filters" (1998), GPB2. Exact for one
regime, and for regimes that never change.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from spikeline.dynamics.neural.switching.switching_system import SwitchingSystem
from spikeline.dynamics.trajectories import Trajectories
from spikeline.errors import DataError

__all__ = ["FilteredRegimes", "filter_regimes", "predicted_pairs"]


@dataclass(frozen=True)
class FilteredRegimes:
    """What outputs up to each step say of it; beyond a trajectory's end everything stands still.

    Parameters
    ----------
    log_likelihood
        Of each trajectory, nats.
    weights
        Probability of each regime.
    means, covariances
        Of the state in each regime.
    """

    log_likelihood: Float[np.ndarray, " N"]
    weights: Float[np.ndarray, "N T M"]
    means: Float[np.ndarray, "N T M n"]
    covariances: Float[np.ndarray, "N T M n n"]


def filter_regimes(system: SwitchingSystem, trajectories: Trajectories) -> FilteredRegimes:
    """Go forward.

    Parameters
    ----------
    system
        With as many inputs and outputs as the trajectories have.
    trajectories
        Every output of which is known; lengths may differ.

    Raises
    ------
    DataError
        If outputs are missing.
    """
    if trajectories.observed is not None:
        raise DataError("missing outputs", "outputs that are all known", "leave out these trajectories")
    inside = trajectories.inside()
    inputs = np.where(inside[..., None], trajectories.inputs, 0.0)
    outputs = np.where(inside[..., None], trajectories.outputs, 0.0)
    (N, T), M, n = inside.shape, len(system.A), len(system.mu)
    weights, means, covariances = np.empty((N, T, M)), np.empty((N, T, M, n)), np.empty((N, T, M, n, n))
    total = np.zeros(N)
    for t in range(T):
        if t == 0:
            mean = np.broadcast_to(system.mu, (N, 1, M, n))
            covariance = np.broadcast_to(system.S, (N, 1, M, n, n))
            prior = np.broadcast_to(system.first, (N, 1, M))
        else:
            mean, covariance = predicted_pairs(system, means[:, t - 1], covariances[:, t - 1], inputs[:, t - 1])
            prior = weights[:, t - 1, :, None] * system.transitions
        mean, covariance, evidence = _updated(system, mean, covariance, inputs[:, t], outputs[:, t])
        largest = evidence.max(axis=(1, 2), keepdims=True)
        joint = prior * np.exp(evidence - largest)
        sums = joint.sum(axis=(1, 2), keepdims=True)
        gained = np.log(sums[:, 0, 0]) + largest[:, 0, 0]
        weights[:, t], means[:, t], covariances[:, t] = collapsed(joint / sums, mean, covariance, axis=1)
        total += np.where(inside[:, t], gained, 0.0)
        if t and not inside[:, t].all():
            over = ~inside[:, t]
            for kept in (weights, means, covariances):
                kept[over, t] = kept[over, t - 1]
    return FilteredRegimes(total, weights, means, covariances)


def predicted_pairs(
    system: SwitchingSystem,
    means: Float[np.ndarray, "N M n"],
    covariances: Float[np.ndarray, "N M n n"],
    inputs: Float[np.ndarray, "N m"],
) -> tuple[Float[np.ndarray, "N M M n"], Float[np.ndarray, "N M M n n"]]:
    """One step on, for every regime before (second axis) and after (third axis)."""
    driven = np.einsum("jab,nb->nja", system.B, inputs)
    mean = np.einsum("jab,nib->nija", system.A, means) + driven[:, None]
    covariance = system.A @ covariances[:, :, None] @ system.A.transpose(0, 2, 1) + system.Q
    return mean, (covariance + covariance.swapaxes(-1, -2)) / 2


def collapsed(
    joint: Float[np.ndarray, "N I J"],
    means: Float[np.ndarray, "N I J n"],
    covariances: Float[np.ndarray, "N I J n n"],
    axis: int,
) -> tuple[Float[np.ndarray, "N M"], Float[np.ndarray, "N M n"], Float[np.ndarray, "N M n n"]]:
    """Gaussians of equal mean and covariance in place of mixtures over one of the two axes of regimes."""
    weight = joint.sum(axis=axis)
    share = joint / np.maximum(np.expand_dims(weight, axis), np.finfo(float).tiny)
    mean = (share[..., None] * means).sum(axis=axis)
    apart = means - np.expand_dims(mean, axis)
    spread = covariances + apart[..., :, None] * apart[..., None, :]
    return weight, mean, (share[..., None, None] * spread).sum(axis=axis)


def _updated(
    system: SwitchingSystem,
    mean: Float[np.ndarray, "N I J n"],
    covariance: Float[np.ndarray, "N I J n n"],
    inputs: Float[np.ndarray, "N m"],
    outputs: Float[np.ndarray, "N q"],
) -> tuple[Float[np.ndarray, "N I J n"], Float[np.ndarray, "N I J n n"], Float[np.ndarray, "N I J"]]:
    """Told the outputs of a step, in the form that inverts n x n and never q x q; and how likely they were, nats."""
    weighted = np.linalg.solve(system.R, system.C).T
    error = (outputs - inputs @ system.D.T)[:, None, None] - mean @ system.C.T
    after = np.linalg.inv(np.linalg.inv(covariance) + weighted @ system.C)
    after = (after + after.swapaxes(-1, -2)) / 2
    push = error @ weighted.T
    moved = np.einsum("nijab,nijb->nija", after, push)
    surprise = (error * np.linalg.solve(system.R, error[..., None])[..., 0]).sum(axis=-1) - (push * moved).sum(axis=-1)
    determinant = np.linalg.slogdet(system.R)[1] + np.linalg.slogdet(covariance)[1] - np.linalg.slogdet(after)[1]
    evidence = -0.5 * (surprise + determinant + outputs.shape[1] * np.log(2 * np.pi))
    return mean + moved, after, evidence
