"""Mixtures to try methods on: random systems of unit impulse energy, and trajectories drawn from them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from spikeline.dynamics.systems import LinearSystem, markov_parameters, spectral_radius
from spikeline.dynamics.trajectories import Trajectories

__all__ = ["random_system", "simulate_mixture"]

_RADIUS = (0.6, 0.9)  # Rui and Dahleh's
_ENERGY_LAGS = 200  # 0.9 ** 200 is nothing


def random_system(
    n_states: int,
    n_inputs: int,
    n_outputs: int,
    draw: np.random.Generator,
    *,
    feedthrough: bool = True,
    process_noise: float = 0.01,
    observation_noise: float = 0.05,
) -> LinearSystem:
    """A stable system whose impulse response has unit energy (sum of squares over lags, outputs and inputs).

    Parameters
    ----------
    n_states, n_inputs, n_outputs
        Size.
    draw
        Where the numbers come from. A is Gaussian, scaled to a spectral radius in [0.6, 0.9]; B, C and D are Gaussian.
    feedthrough
        Whether D is drawn; else it is zero.
    process_noise, observation_noise
        Variances: Q and R are these times the identity. The first state has mean zero and covariance Q.
    """
    A = draw.normal(size=(n_states, n_states))
    A *= draw.uniform(*_RADIUS) / spectral_radius(A)
    B, C = draw.normal(size=(n_states, n_inputs)), draw.normal(size=(n_outputs, n_states))
    D = draw.normal(size=(n_outputs, n_inputs)) if feedthrough else np.zeros((n_outputs, n_inputs))
    Q, R = process_noise * np.eye(n_states), observation_noise * np.eye(n_outputs)
    energy = float((markov_parameters(LinearSystem(A, B, C, D, Q, R, np.zeros(n_states), Q), _ENERGY_LAGS) ** 2).sum())
    # B and C share the scale, so that states are about as large as outputs
    root = energy**0.25 if energy else 1.0  # without inputs there is nothing to scale
    return LinearSystem(A, B / root, C / root, D / root**2, Q, R, np.zeros(n_states), Q)


def simulate_mixture(
    systems: Sequence[LinearSystem],
    weights: Float[np.ndarray, " K"],
    n_trajectories: int,
    n_steps: int,
    draw: np.random.Generator,
    inputs: Float[np.ndarray, "N T m"] | None = None,
) -> Trajectories:
    """Trajectories, each of one system, drawn with the mixture's weights.

    Parameters
    ----------
    systems
        Of the same numbers of inputs and outputs.
    weights
        Of the systems; sum 1.
    n_trajectories, n_steps
        N and T.
    draw
        Where the numbers come from.
    inputs
        What drives them; None: white Gaussian of unit variance.
    """
    labels = draw.choice(len(systems), n_trajectories, p=weights)
    if inputs is None:
        inputs = draw.normal(size=(n_trajectories, n_steps, systems[0].B.shape[1]))
    outputs = np.empty((n_trajectories, n_steps, systems[0].C.shape[0]))
    for label, system in enumerate(systems):
        own = np.flatnonzero(labels == label)
        moved, seen, first = (np.linalg.cholesky(covariance) for covariance in (system.Q, system.R, system.S))
        state = system.mu + draw.normal(size=(len(own), len(system.A))) @ first.T
        for step in range(n_steps):
            driven = inputs[own, step]
            noise = draw.normal(size=(len(own), len(system.R))) @ seen.T
            outputs[own, step] = state @ system.C.T + driven @ system.D.T + noise
            state = state @ system.A.T + driven @ system.B.T + draw.normal(size=state.shape) @ moved.T
    return Trajectories(inputs, outputs, np.full(n_trajectories, n_steps, np.int64), labels.astype(np.int64))
