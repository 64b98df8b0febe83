"""A random mixture to start EM from: what other starts are compared with."""

from __future__ import annotations

import numpy as np

from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.simulated.generator import random_system
from spikeline.dynamics.systems import LinearSystem
from spikeline.dynamics.trajectories import Trajectories

__all__ = ["random_start"]


def random_start(
    trajectories: Trajectories, n_components: int, n_states: int, draw: np.random.Generator, feedthrough: bool = True
) -> Mixture:
    """Random stable systems whose outputs are about as large as those of the trajectories; equal weights.

    A is Gaussian, scaled to a spectral radius in [0.6, 0.9]; B, C and D are Gaussian, scaled to an impulse response of
    unit energy times the outputs' standard deviation; Q = 0.1 I, R = 0.1 of the outputs' variance, S = I. The published
    method's random start was not available to us: this one is ours.

    Parameters
    ----------
    trajectories
        Tell the numbers of inputs and outputs, and the outputs' variance.
    n_components, n_states
        Of the mixture.
    draw
        Where the numbers come from.
    feedthrough
        Whether D is drawn; else it is zero.
    """
    variance = float(trajectories.outputs[trajectories.inside()].var())
    size, n, q = np.sqrt(variance), n_states, trajectories.n_outputs
    systems = []
    for _ in range(n_components):
        drawn = random_system(n, trajectories.n_inputs, q, draw, feedthrough=feedthrough)
        noise = 0.1 * np.eye(n), 0.1 * variance * np.eye(q)
        systems.append(LinearSystem(drawn.A, drawn.B, size * drawn.C, size * drawn.D, *noise, np.zeros(n), np.eye(n)))
    return Mixture(tuple(systems), np.full(n_components, 1 / n_components))
