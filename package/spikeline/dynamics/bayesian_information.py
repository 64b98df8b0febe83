"""How many components and states: what a mixture costs in parameters, against what it explains."""

from __future__ import annotations

import math
from dataclasses import dataclass

from spikeline.config.molds import EMSettings
from spikeline.dynamics.mixture import Mixture

__all__ = ["BayesianInformation", "bayesian_information", "parameter_count"]


def parameter_count(n_components: int, n_states: int, n_inputs: int, n_outputs: int, settings: EMSettings) -> int:
    """Numbers of a mixture that its trajectories' distribution depends on.

    Each component has A (n^2), B (n m), C (q n), D (q m), Q and S (n (n + 1) / 2 each), R (q (q + 1) / 2, or q if it is
    diagonal) and mu (n). Of these, n^2 only choose the states' coordinates; with fewer outputs than states, a part of
    Q of (n - q) (n - q + 1) / 2 numbers can be moved into S and R unseen. A C that all share is counted once, and
    leaves a component only those coordinates to choose that keep it. Weights add K - 1. (The tests compare all of this
    with the rank of the derivative of means and covariances of outputs.)

    Parameters
    ----------
    n_components, n_states, n_inputs, n_outputs
        K, n, m, q.
    settings
        Which of them EM estimates.
    """
    K, n, m, q = n_components, n_states, n_inputs, n_outputs
    hidden = max(0, n - q)
    own = n * n + n * m + n * (n + 1) - hidden * (hidden + 1) // 2 + n
    own += q * m if settings.feedthrough else 0
    own += q if settings.diagonal_observation_noise else q * (q + 1) // 2
    if not settings.shared_outputs:
        return K * (own + q * n - n * n) + K - 1
    if q >= n:  # one choice of coordinates for all
        return K * own + q * n - n * n + K - 1
    # every C can be had by coordinates, and each component keeps the n (n - q) that leave C as it is
    return K * (own - n * (n - q)) + K - 1


@dataclass(frozen=True)
class BayesianInformation:
    """BIC by two counts of how much was seen; less is better.

    Parameters
    ----------
    by_trajectories
        -2 log L + nu log N: trajectories are what is independent, as long as the label is what matters.
    by_steps
        -2 log L + nu log(sum of T_i).
    """

    by_trajectories: float
    by_steps: float


def bayesian_information(
    log_likelihood: float, mixture: Mixture, settings: EMSettings, n_trajectories: int, n_steps: int
) -> BayesianInformation:
    """Schwarz's criterion.

    Parameters
    ----------
    log_likelihood
        Of all trajectories together, nats, at its maximum.
    mixture, settings
        What was fitted, and what of it was free.
    n_trajectories, n_steps
        N, and the steps of all of them.
    """
    count = parameter_count(mixture.n_components, mixture.n_states, mixture.n_inputs, mixture.n_outputs, settings)
    return BayesianInformation(
        -2 * log_likelihood + count * math.log(n_trajectories), -2 * log_likelihood + count * math.log(n_steps)
    )
