"""The switching linear system: one observation equation, and dynamics that a Markov chain chooses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from spikeline.dynamics.systems import LinearSystem

__all__ = ["SwitchingSystem", "perturbed"]

_PERTURBATION = 0.2


@dataclass(frozen=True)
class SwitchingSystem:
    """x[t + 1] = A_s x[t] + B_s u[t] + w[t] with s = s[t + 1], y[t] = C x[t] + D u[t] + v[t]; s is a Markov chain.

    Parameters
    ----------
    A, B, Q
        Of each of the M regimes.
    C, D, R
        Of the outputs, the same in all regimes.
    mu, S
        Mean and covariance of the first state.
    first
        Probability of each regime at the first step.
    transitions
        From row to column.
    """

    A: Float[np.ndarray, "M n n"]
    B: Float[np.ndarray, "M n m"]
    Q: Float[np.ndarray, "M n n"]
    C: Float[np.ndarray, "q n"]
    D: Float[np.ndarray, "q m"]
    R: Float[np.ndarray, "q q"]
    mu: Float[np.ndarray, " n"]
    S: Float[np.ndarray, "n n"]
    first: Float[np.ndarray, " M"]
    transitions: Float[np.ndarray, "M M"]


def perturbed(system: LinearSystem, n_regimes: int, stay: float, draw: np.random.Generator) -> SwitchingSystem:
    """Regimes that are all nearly one system: where EM starts.

    Parameters
    ----------
    system
        E.g. the one fitted to all trials.
    n_regimes
        M.
    stay
        Probability of staying in a regime; with one regime it is 1.
    draw
        Of the differences, a fifth of the size of A and of B.
    """

    def near(matrix: np.ndarray) -> np.ndarray:
        size = _PERTURBATION * np.sqrt((matrix**2).mean())
        return matrix + size * draw.normal(size=(n_regimes, *matrix.shape))

    leave = (1 - stay) / max(n_regimes - 1, 1)
    transitions = np.full((n_regimes, n_regimes), leave) + (stay - leave) * np.eye(n_regimes)
    return SwitchingSystem(
        near(system.A),
        near(system.B),
        np.repeat(system.Q[None], n_regimes, axis=0),
        system.C,
        system.D,
        system.R,
        system.mu,
        system.S,
        np.full(n_regimes, 1 / n_regimes),
        transitions / transitions.sum(axis=1, keepdims=True),
    )
