"""Mixtures that the tests share."""

from __future__ import annotations

import numpy as np

from spikeline.artifacts import seed_stream
from spikeline.dynamics.simulated.generator import random_system, simulate_mixture
from spikeline.dynamics.systems import LinearSystem, markov_parameters
from spikeline.dynamics.trajectories import Trajectories

WEIGHTS = np.array([0.25, 0.35, 0.4])


def three_systems(seed: int) -> list[LinearSystem]:
    """Three of two states, one input and one output."""
    draw = seed_stream(seed, "test-systems")
    return [random_system(2, 1, 1, draw) for _ in WEIGHTS]


def three_component_data(seed: int, n: int, steps: int) -> tuple[np.ndarray, Trajectories]:
    """True responses over six lags, and trajectories."""
    systems = three_systems(seed)
    data = simulate_mixture(systems, WEIGHTS, n, steps, seed_stream(seed, "test-trajectories"))
    return np.stack([markov_parameters(system, 6) for system in systems]), data
