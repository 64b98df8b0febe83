"""EM for a mixture of linear systems: responsibilities of whole trajectories, then every matrix in closed form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.special import logsumexp

from spikeline.dynamics.em.kalman_smoother import SmoothedStates, smooth
from spikeline.dynamics.em.sufficient_statistics import SufficientStatistics, maximised, sufficient_statistics
from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.trajectories import Trajectories
from spikeline.errors import NumericalError

__all__ = ["MixtureFit", "fit_mixture_em"]

_FLOOR = 1e-6
_LEAST_WEIGHT = 1e-4
_FEWEST_TRAJECTORIES = 1.0
_ROUNDING = 1e-8


@dataclass(frozen=True)
class MixtureFit:
    """A mixture and how it was reached.

    Parameters
    ----------
    mixture
        Systems and weights.
    responsibilities
        Probability of each component given a trajectory, under the mixture.
    log_likelihoods
        Of all trajectories together, nats; before each M-step.
    converged
        Whether the last step gained less than the tolerance.
    """

    mixture: Mixture
    responsibilities: Float[np.ndarray, "N K"]
    log_likelihoods: Float[np.ndarray, " iterations"]
    converged: bool


def fit_mixture_em(
    trajectories: Trajectories,
    start: Mixture,
    *,
    feedthrough: bool = True,
    tolerance: float = 1e-6,
    most_iterations: int = 200,
) -> MixtureFit:
    """Climb the likelihood from a given mixture.

    Parameters
    ----------
    trajectories
        Without gaps; lengths may differ.
    start
        Where to start.
    feedthrough
        Whether D is estimated; else it stays zero.
    tolerance
        EM ends when a step gains less than this, in nats per number in the outputs.
    most_iterations
        Or after so many steps.

    Raises
    ------
    NumericalError
        If the likelihood is not finite, or falls by more than rounding although no covariance met its floor.
    """
    systems, weights = list(start.systems), start.weights
    groups = _by_length(trajectories)
    numbers = float(trajectories.lengths.sum()) * trajectories.n_outputs
    floor = _FLOOR * float(trajectories.outputs[trajectories.inside()].var())
    history: list[float] = []
    raised, converged = False, False
    while True:
        states = [[smooth(system, part.inputs, part.outputs) for _, part in groups] for system in systems]
        responsibilities, total = _responsibilities(states, weights, groups, len(trajectories))
        if not np.isfinite(total):
            raise NumericalError(
                f"the log-likelihood is {total} after {len(history)} steps of EM",
                "a finite one",
                "check the outputs' scale, or start from other systems",
            )
        if history and not raised and total < history[-1] - _ROUNDING * numbers:
            raise NumericalError(
                f"EM's log-likelihood fell from {history[-1]:.9g} to {total:.9g} in step {len(history)}",
                "one that never falls",
                "scale the outputs to unit variance; if it still falls, the M-step has a defect: please report it",
            )
        converged = bool(history) and total - history[-1] < tolerance * numbers and not raised
        history.append(total)
        if converged or len(history) > most_iterations:
            break
        raised = False
        for k in range(len(systems)):
            statistics = _statistics(states[k], groups, responsibilities[:, k])
            if statistics.n_first < _FEWEST_TRAJECTORIES:
                continue  # too little to learn from: it keeps its matrices
            systems[k], met_floor = maximised(statistics, floor, feedthrough=feedthrough)
            raised |= met_floor
        weights = np.maximum(responsibilities.mean(axis=0), _LEAST_WEIGHT)
        weights /= weights.sum()
    return MixtureFit(Mixture(tuple(systems), weights), responsibilities, np.array(history), converged)


def _by_length(trajectories: Trajectories) -> list[tuple[np.ndarray, Trajectories]]:
    """Which trajectories have each length, and these cut to it."""
    groups = []
    for length in np.unique(trajectories.lengths):
        own = np.flatnonzero(trajectories.lengths == length)
        cut = Trajectories(
            trajectories.inputs[own, :length], trajectories.outputs[own, :length], trajectories.lengths[own]
        )
        groups.append((own, cut))
    return groups


def _responsibilities(
    states: list[list[SmoothedStates]],
    weights: Float[np.ndarray, " K"],
    groups: list[tuple[np.ndarray, Trajectories]],
    n: int,
) -> tuple[Float[np.ndarray, "N K"], float]:
    joint = np.empty((n, len(weights)))
    for k, of_groups in enumerate(states):
        for (own, _), of_group in zip(groups, of_groups, strict=True):
            joint[own, k] = of_group.log_likelihood
    joint += np.log(weights)
    each = logsumexp(joint, axis=1, keepdims=True)
    return np.exp(joint - each), float(each.sum())


def _statistics(
    states: list[SmoothedStates], groups: list[tuple[np.ndarray, Trajectories]], responsibilities: np.ndarray
) -> SufficientStatistics:
    parts = [
        sufficient_statistics(of_group, part.inputs, part.outputs, responsibilities[own])
        for of_group, (own, part) in zip(states, groups, strict=True)
    ]
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total
