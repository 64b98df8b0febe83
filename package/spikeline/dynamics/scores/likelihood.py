"""How likely trajectories are under a mixture that has not seen them."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int64

from spikeline.dynamics.em.expectation import responsibilities_of
from spikeline.dynamics.em.numpy_engine import NumpyEngine
from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.trajectories import Trajectories

__all__ = ["log_likelihood_per_step", "most_likely_components"]


def _judged(mixture: Mixture, trajectories: Trajectories) -> tuple[Float[np.ndarray, " N"], Float[np.ndarray, "N K"]]:
    return responsibilities_of(NumpyEngine(trajectories).component_log_likelihoods(mixture), mixture.weights)


def log_likelihood_per_step(mixture: Mixture, trajectories: Trajectories) -> float:
    """Log-likelihood of all trajectories, which have no gaps, over their steps; nats."""
    return float(_judged(mixture, trajectories)[0].sum() / trajectories.lengths.sum())


def most_likely_components(mixture: Mixture, trajectories: Trajectories) -> Int64[np.ndarray, " N"]:
    """The component that each trajectory, which has no gaps, most likely is of."""
    return _judged(mixture, trajectories)[1].argmax(axis=1).astype(np.int64)
