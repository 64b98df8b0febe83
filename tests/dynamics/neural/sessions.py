"""Neural trajectories that the tests share: a small simulated day, and trajectories of known systems."""

from __future__ import annotations

import functools

import numpy as np

from spikeline.artifacts import seed_stream
from spikeline.config.molds import EMSettings, FitSettings, NeuralSessionSettings, NeuralSettings
from spikeline.dynamics.neural.neural_trajectories import NeuralTrajectories, PreparedTrials, prepare_trials
from spikeline.dynamics.neural.simulated_session import simulated_session
from spikeline.dynamics.simulated.generator import random_system, simulate_mixture
from spikeline.dynamics.systems import LinearSystem
from spikeline.dynamics.trajectories import Trajectories

SESSION = NeuralSessionSettings(window_ms=(-340.0, 500.0), delays_ms=[0.0, 40.0], horizons=[1, 4])
SHORT = NeuralSettings(
    fit=FitSettings(em=EMSettings(most_iterations=25)), random_starts=2, subsets=2, shuffles=50,
    switching={"iterations": 3, "stay": 0.95},
)  # fmt: skip


@functools.cache
def prepared() -> PreparedTrials:
    """A simulated day of 96 trials."""
    return prepare_trials(simulated_session(3, n_trials=96), SESSION, SHORT, 3)


@functools.cache
def day() -> NeuralTrajectories:
    """Its trajectories at the true delay."""
    return prepared().delayed(2)


def two_systems() -> list[LinearSystem]:
    """Of one observation equation: what a switching system has."""
    draw = seed_stream(8, "test-switching")
    first, other = (random_system(2, 2, 3, draw, process_noise=0.05) for _ in range(2))
    return [
        first,
        LinearSystem(other.A, other.B, first.C, first.D, 2 * first.Q, first.R, first.mu, first.S),
    ]


def from_two_systems(n: int = 6, steps: int = 9) -> Trajectories:
    """Trajectories of unequal lengths, each of one of them."""
    data = simulate_mixture(two_systems(), np.array([0.4, 0.6]), n, steps, seed_stream(9, "test-switching"))
    lengths = data.lengths.copy()
    lengths[1::2] = np.maximum(steps - 3, 2)
    return Trajectories(data.inputs, data.outputs, lengths, data.labels)
