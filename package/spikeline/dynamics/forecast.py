"""Outputs predicted some steps ahead: each component's prediction, weighted by what is known of the label by then."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from scipy.special import softmax

from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.systems import LinearSystem
from spikeline.dynamics.trajectories import Trajectories
from spikeline.errors import DataError

__all__ = ["check_sizes", "forecast"]


@dataclass(frozen=True)
class _Filtered:
    """States one step ahead (N, T, n), and the log-likelihood of each step's outputs (N, T)."""

    predicted: Float[np.ndarray, "N T n"]
    log_likelihood: Float[np.ndarray, "N T"]


def forecast(mixture: Mixture, trajectories: Trajectories, ahead: int = 1) -> Float[np.ndarray, "N T q"]:
    """Mean of y[t] given the outputs up to t - ``ahead`` and the inputs up to t.

    Nothing later is used, for the label neither: a component's weight at step t is its posterior after the outputs up
    to t - ``ahead``. Where there are none yet (t < ``ahead``) the prediction is that of the inputs alone, with the
    mixture's own weights.

    Parameters
    ----------
    mixture
        A fitted one.
    trajectories
        Outputs may be missing.
    ahead
        Steps, 1 or more.

    Returns
    -------
    array
        NaN beyond each trajectory's end.

    Raises
    ------
    DataError
        If ``ahead`` is less than 1, or the trajectories have other numbers of inputs or outputs than the mixture.
    """
    if ahead < 1:
        raise DataError(f"a forecast {ahead} steps ahead", "1 step or more", "ask for ahead=1 or a larger number")
    check_sizes(mixture, trajectories)
    inside = trajectories.inside()[..., None]
    inputs = np.where(inside, trajectories.inputs, 0.0)
    # beyond an end anything may stand, because nothing looks back; then trajectories of several lengths are seen alike
    seen = np.ones((1, *trajectories.outputs.shape[1:]), bool)
    if trajectories.observed is not None:
        seen = trajectories.observed | ~inside
    outputs = np.where(seen & inside, trajectories.outputs, 0.0)

    predictions, evidence = [], []
    for system in mixture.systems:
        filtered = _filtered(system, inputs, outputs, seen)
        states = filtered.predicted
        for _ in range(ahead - 1):
            states = np.concatenate(
                [
                    np.broadcast_to(system.mu, (len(states), 1, len(system.mu))),
                    states[:, :-1] @ system.A.T + inputs[:, :-1] @ system.B.T,
                ],
                axis=1,
            )
        predictions.append(states @ system.C.T + inputs @ system.D.T)
        known = np.zeros_like(filtered.log_likelihood)
        known[:, ahead:] = np.cumsum(filtered.log_likelihood, axis=1)[:, : max(0, known.shape[1] - ahead)]
        evidence.append(known)
    with np.errstate(divide="ignore"):  # a component of weight 0 takes no part
        weights = softmax(np.stack(evidence) + np.log(mixture.weights)[:, None, None], axis=0)
    return np.where(inside, np.einsum("kit,kitq->itq", weights, np.stack(predictions)), np.nan)


def check_sizes(mixture: Mixture, trajectories: Trajectories) -> None:
    """Check that a mixture can have made trajectories.

    Raises
    ------
    DataError
        If the numbers of inputs or outputs differ.
    """
    own, given = (
        (mixture.n_inputs, mixture.n_outputs),
        (trajectories.n_inputs, trajectories.n_outputs),
    )
    if own != given:
        raise DataError(
            f"trajectories of {given[0]} inputs and {given[1]} outputs",
            f"{own[0]} inputs and {own[1]} outputs, as the mixture has",
            "give trajectories made as those that the mixture was fitted to",
        )


def _filtered(
    system: LinearSystem,
    inputs: Float[np.ndarray, "N T m"],
    outputs: Float[np.ndarray, "N T q"],
    seen: Bool[np.ndarray, "N_or_1 T q"],
) -> _Filtered:
    """Kalman filter. An output that was not seen gets no gain: its row of C is zero, and its noise is 1 by itself.

    Where all trajectories are seen alike, covariances are those of one.
    """
    n_trajectories, steps, q = outputs.shape
    n = len(system.A)
    patterns = seen[:1] if (seen == seen[:1]).all() else seen
    predicted, gained = np.empty((n_trajectories, steps, n)), np.empty((n_trajectories, steps))
    mean = np.broadcast_to(system.mu, (n_trajectories, n))
    P = np.broadcast_to(system.S, (len(patterns), n, n))
    identity = np.eye(q)
    for t in range(steps):
        predicted[:, t] = mean
        here = patterns[:, t].astype(float)
        C = here[..., None] * system.C
        R = here[:, :, None] * here[:, None, :] * system.R + (1 - here)[:, :, None] * identity
        CP = C @ P
        root = np.linalg.cholesky(CP @ C.swapaxes(1, 2) + R)
        error = (outputs[:, t] - mean @ system.C.T - inputs[:, t] @ system.D.T) * here
        white = np.linalg.solve(root, error[..., None])[..., 0]
        gained[:, t] = -0.5 * (white**2).sum(axis=1) - np.log(np.einsum("iqq->iq", root)).sum(axis=1)
        gained[:, t] -= 0.5 * np.log(2 * np.pi) * here.sum(axis=1)
        back = np.linalg.solve(root, CP)  # gain = back' root^-1
        mean = mean + np.einsum("iqn,iq->in", np.broadcast_to(back, (n_trajectories, q, n)), white)
        P = P - back.swapaxes(1, 2) @ back
        mean = mean @ system.A.T + inputs[:, t] @ system.B.T
        P = system.A @ P @ system.A.T + system.Q
        P = (P + P.swapaxes(1, 2)) / 2
    return _Filtered(predicted, gained)
