"""Random mixtures as the settings describe them."""

from __future__ import annotations

from typing import Any

import numpy as np

from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.simulated.generator import random_system

__all__ = ["draw_mixture"]


def draw_mixture(sizes: dict[str, Any], draw: np.random.Generator) -> Mixture:
    """A mixture of random systems.

    Parameters
    ----------
    sizes
        n_components, n_states, n_inputs, n_outputs, feedthrough, process_noise, observation_noise and weights: keys of
        `spikeline.config.molds.MixtureSettings`, none of them null.
    draw
        Where the numbers come from. Noise changes no other matrix: mixtures of one stream differ in it alone.
    """
    systems = tuple(
        random_system(
            sizes["n_states"],
            sizes["n_inputs"],
            sizes["n_outputs"],
            draw,
            feedthrough=sizes["feedthrough"],
            process_noise=sizes["process_noise"],
            observation_noise=sizes["observation_noise"],
        )
        for _ in range(sizes["n_components"])
    )
    return Mixture(systems, np.array(sizes["weights"], np.float64))
