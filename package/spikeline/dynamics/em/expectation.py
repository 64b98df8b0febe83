"""What one E-step gives, and what computes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from jaxtyping import Float

from spikeline.dynamics.em.sufficient_statistics import SufficientStatistics
from spikeline.dynamics.mixture import Mixture

__all__ = ["Engine", "Expectation", "responsibilities_of"]


@dataclass(frozen=True)
class Expectation:
    """What the trajectories say of a mixture: the E-step.

    Parameters
    ----------
    log_likelihoods
        Of each trajectory under the mixture, nats.
    responsibilities
        Probability of each component given a trajectory.
    statistics
        Of each component, weighted by the responsibilities: what the M-step is made of.
    """

    log_likelihoods: Float[np.ndarray, " N"]
    responsibilities: Float[np.ndarray, "N K"]
    statistics: tuple[SufficientStatistics, ...]


class Engine(Protocol):
    """Computes E-steps on one set of trajectories, which it is made with; what depends on them alone is made once."""

    def expectation(self, mixture: Mixture) -> Expectation:
        """The E-step under a mixture."""

    def component_log_likelihoods(self, mixture: Mixture) -> Float[np.ndarray, "N K"]:
        """Log-likelihood of each trajectory under each component, nats, without the mixture's weights."""


def responsibilities_of(
    log_likelihoods: Float[np.ndarray, "N K"], weights: Float[np.ndarray, " K"]
) -> tuple[Float[np.ndarray, " N"], Float[np.ndarray, "N K"]]:
    """Log-likelihoods under the mixture, and responsibilities, from log-likelihoods under each component."""
    with np.errstate(divide="ignore"):  # a component of weight zero makes nothing
        joint = log_likelihoods + np.log(weights)
    largest = joint.max(axis=1)
    shares = np.exp(joint - largest[:, None])
    total = shares.sum(axis=1)
    return largest + np.log(total), shares / total[:, None]
