"""Inputs made white across themselves and outputs of unit size, and the way back: results do not depend on units."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from spikeline.dynamics.systems import LinearSystem
from spikeline.dynamics.trajectories import Trajectories

__all__ = ["UnitScale", "unit_scale"]

_LEAST_SHARE = 1e-8


@dataclass(frozen=True)
class UnitScale:
    """What inputs and outputs are multiplied by.

    Parameters
    ----------
    inputs
        W: scaled inputs are W u, with second moments of one.
    outputs
        s: scaled outputs are y / s. One for all outputs, so that those which vary more keep counting more.
    """

    inputs: Float[np.ndarray, "m m"]
    outputs: float

    def scaled(self, trajectories: Trajectories) -> Trajectories:
        """The same trajectories in these units."""
        return Trajectories(
            trajectories.inputs @ self.inputs.T,
            trajectories.outputs / self.outputs,
            trajectories.lengths,
            trajectories.labels,
            trajectories.observed,
        )

    def responses_undone(self, markov: Float[np.ndarray, "K lags q m"]) -> Float[np.ndarray, "K lags q m"]:
        """Responses of outputs as they were to inputs as they were."""
        return self.outputs * markov @ self.inputs

    def responses_scaled(self, markov: Float[np.ndarray, "K lags q m"]) -> Float[np.ndarray, "K lags q m"]:
        """Responses of scaled outputs to scaled inputs."""
        return markov @ np.linalg.inv(self.inputs) / self.outputs

    def undone(self, system: LinearSystem) -> LinearSystem:
        """A system of scaled trajectories as one of the trajectories as they were; its states' size is the outputs'."""
        root = np.sqrt(self.outputs)
        return LinearSystem(
            A=system.A,
            B=root * system.B @ self.inputs,
            C=root * system.C,
            D=self.outputs * system.D @ self.inputs,
            Q=self.outputs * system.Q,
            R=self.outputs**2 * system.R,
            mu=root * system.mu,
            S=self.outputs * system.S,
        )


def unit_scale(trajectories: Trajectories) -> UnitScale:
    """The scale of some trajectories: second moments about zero, because a linear system knows no offset.

    Parameters
    ----------
    trajectories
        Inputs that are linear combinations of others are left about as small as they are.
    """
    inputs = trajectories.inputs[trajectories.inside()]
    values, vectors = np.linalg.eigh(inputs.T @ inputs / len(inputs))
    largest = float(values.max(initial=0.0))
    kept = np.maximum(values, _LEAST_SHARE * largest) if largest > 0 else np.ones_like(values)
    outputs = trajectories.outputs[trajectories.known()]
    size = float(np.sqrt(np.mean(outputs**2))) if len(outputs) else 0.0
    return UnitScale((vectors / np.sqrt(kept)) @ vectors.T, size if size > 0 else 1.0)
