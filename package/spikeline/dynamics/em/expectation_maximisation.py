"""EM for a mixture of linear systems: responsibilities of whole trajectories, then every matrix in closed form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from spikeline.config.molds import EMSettings
from spikeline.dynamics.em.engines import make_engine
from spikeline.dynamics.em.expectation import Engine
from spikeline.dynamics.em.sufficient_statistics import maximised
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
    settings: EMSettings = EMSettings(),  # noqa: B008  (frozen)
    *,
    checkpoint: Path | None = None,
    on_iteration: Callable[[int, float], None] | None = None,
    engine: Engine | None = None,
) -> MixtureFit:
    """Climb the likelihood from a given mixture.

    Parameters
    ----------
    trajectories
        Lengths may differ.
    start
        Where to start.
    settings
        How far, under which constraints, and what computes.
    checkpoint
        Where to keep the state now and then, so that a fit that was killed goes on from there.
    on_iteration
        Told the number of steps taken and the log-likelihood reached, after every E-step.
    engine
        Made for these trajectories before, to share what it prepared; None: the one that settings name.

    Raises
    ------
    NumericalError
        If the likelihood is not finite, or falls by more than rounding although no covariance met its floor.
    """
    systems, weights = list(start.systems), start.weights
    engine = make_engine(settings.engine, trajectories) if engine is None else engine
    numbers = float(trajectories.lengths.sum()) * trajectories.n_outputs
    floor = _FLOOR * float(trajectories.outputs[trajectories.inside()].var())
    history: list[float] = []
    raised, converged = False, False
    while True:
        expected = engine.expectation(Mixture(tuple(systems), weights))
        total = float(expected.log_likelihoods.sum())
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
        converged = bool(history) and total - history[-1] < settings.tolerance * numbers and not raised
        history.append(total)
        if on_iteration is not None:
            on_iteration(len(history) - 1, total)
        if converged or len(history) > settings.most_iterations:
            break
        raised = False
        for k, statistics in enumerate(expected.statistics):
            if statistics.n_first < _FEWEST_TRAJECTORIES:
                continue  # too little to learn from: it keeps its matrices
            systems[k], met_floor = maximised(statistics, floor, feedthrough=settings.feedthrough)
            raised |= met_floor
        weights = np.maximum(expected.responsibilities.mean(axis=0), _LEAST_WEIGHT)
        weights /= weights.sum()
    return MixtureFit(Mixture(tuple(systems), weights), expected.responsibilities, np.array(history), converged)
