"""Systems without inputs, which noise moves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from spikeline.artifacts import seed_stream
from spikeline.dynamics.simulated.generator import random_system
from spikeline.dynamics.systems import LinearSystem


def free_systems(seed: int, n_states: int, n_outputs: int, n_components: int) -> list[LinearSystem]:
    """Systems whose noise has the energy that a random system's input of unit variance has."""
    draw = seed_stream(seed, "test-free-systems")
    made = []
    for _ in range(n_components):
        system = random_system(n_states, n_states, n_outputs, draw, feedthrough=False)
        Q = system.B @ system.B.T + 0.01 * np.eye(n_states)
        none = np.zeros((n_states, 0)), np.zeros((n_outputs, 0))
        made.append(replace(system, B=none[0], D=none[1], Q=Q, R=0.1 * np.eye(n_outputs), S=np.eye(n_states)))
    return made
