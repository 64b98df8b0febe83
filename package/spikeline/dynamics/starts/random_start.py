"""Random systems to start EM from: the baseline that other starts are compared with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.simulated.generator import random_system

__all__ = ["random_start"]

_NOISE = 0.1


def random_start(
    n_components: int,
    n_states: int,
    n_inputs: int,
    n_outputs: int,
    draw: np.random.Generator,
    *,
    feedthrough: bool = True,
) -> Mixture:
    """Systems of unit impulse energy, spectral radii in [0.6, 0.9], Q = 0.1 I, R = S = I, and equal weights.

    R is the variance of outputs of unit size: from a tenth of it, which looks as good, half as many starts end near the
    best mixture (3 components: 3 of 12 against 6 of 12, 6 components: none against 1).

    Parameters
    ----------
    n_components, n_states, n_inputs, n_outputs
        K, n, m, q. Without inputs, states get their energy from noise in place of them.
    draw
        Where the numbers come from.
    feedthrough
        Whether D is drawn; else it is zero.
    """
    systems = []
    for _ in range(n_components):
        system = random_system(
            n_states,
            max(n_inputs, 1),
            n_outputs,
            draw,
            feedthrough=feedthrough and n_inputs > 0,
            process_noise=_NOISE,
            observation_noise=1.0,
        )
        B, D = system.B[:, :n_inputs], system.D[:, :n_inputs]
        systems.append(replace(system, B=B, D=D, S=np.eye(n_states)))
    return Mixture(tuple(systems), np.full(n_components, 1 / n_components))
