"""EM for a mixture of linear systems: responsibilities of whole trajectories, then every matrix in closed form."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from spikeline.config.molds import EMSettings
from spikeline.dynamics.em.admissible_start import admissible_start
from spikeline.dynamics.em.checkpoint import Checkpoint, FitState, fit_identity
from spikeline.dynamics.em.engines import make_engine
from spikeline.dynamics.em.expectation import Engine, Expectation
from spikeline.dynamics.em.fit_checks import check_fit, seen_outputs
from spikeline.dynamics.em.m_step import Constraints, floored_weights, maximised
from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.trajectories import Trajectories
from spikeline.errors import NumericalError

__all__ = ["MixtureFit", "fit_mixture_em"]

_FLOOR = 1e-6  # of covariances, relative to the outputs' variance
_LEAST_WEIGHT = 1e-4
_DEFAULTS = EMSettings()
_ROUNDING = 1e-8  # nats per number in the outputs


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
    notes
        Which covariances lay at their floor at some time, and which components had too few trajectories to learn from.
    """

    mixture: Mixture
    responsibilities: Float[np.ndarray, "N K"]
    log_likelihoods: Float[np.ndarray, " iterations"]
    converged: bool
    notes: tuple[str, ...] = ()


def fit_mixture_em(
    trajectories: Trajectories,
    start: Mixture,
    settings: EMSettings = _DEFAULTS,
    *,
    checkpoint: Path | None = None,
    on_iteration: Callable[[int, float], None] | None = None,
    engine: Engine | None = None,
) -> MixtureFit:
    """Climb the likelihood from a given mixture.

    Parameters
    ----------
    trajectories
        Lengths may differ, and outputs may be missing.
    start
        Where to start; what of it is outside the constraints is brought within them (see `admissible_start`).
    settings
        How far, under which constraints, and what computes.
    checkpoint
        A file of this fit alone, for its state now and then: a fit that was killed at any time and is run again with
        the same arguments ends in the same bytes as one that was not. Removed once the fit is done.
    on_iteration
        Told the number of steps taken and the log-likelihood reached, after every E-step.
    engine
        Made for these trajectories before, to share what it prepared; None: the one that settings name.

    Raises
    ------
    DataError
        If the trajectories cannot be fitted with such a mixture, or the checkpoint is that of another fit.
    NumericalError
        If the likelihood is not finite, or falls by more than rounding.
    """
    check_fit(trajectories, start)
    engine = make_engine(settings.engine, trajectories) if engine is None else engine
    seen = seen_outputs(trajectories)
    constraints = Constraints(
        _FLOOR * float(trajectories.outputs[seen].var()),
        feedthrough=settings.feedthrough,
        diagonal=settings.diagonal_observation_noise,
        shared_outputs=settings.shared_outputs,
    )
    kept = None if checkpoint is None else Checkpoint(checkpoint, fit_identity(trajectories, start, settings, engine))
    state = None if kept is None else kept.read()
    if state is None:
        state = FitState(admissible_start(start, constraints, _least_weight(start)), (), ())
    climb = _Climb(engine, settings, constraints, int(seen.sum()), on_iteration)
    written = time.monotonic()
    try:
        while (outcome := climb.step(state)).converged is None:
            state = outcome.state
            if kept is not None and time.monotonic() - written >= 60 * settings.checkpoint_minutes:
                kept.write(state)
                written = time.monotonic()
    except (KeyboardInterrupt, SystemExit):  # told to end: nothing is lost
        if kept is not None:
            kept.write(state)
        raise
    if kept is not None:
        kept.remove()
    return MixtureFit(
        outcome.state.mixture,
        outcome.expected.responsibilities,
        np.array(outcome.state.log_likelihoods),
        outcome.converged,
        outcome.state.notes,
    )


@dataclass(frozen=True)
class _Outcome:
    """After a step: ``converged`` is None while there is more to do, and then the state is that before the next."""

    state: FitState
    expected: Expectation
    converged: bool | None


@dataclass(frozen=True)
class _Climb:
    engine: Engine
    settings: EMSettings
    constraints: Constraints
    numbers: int
    on_iteration: Callable[[int, float], None] | None

    def step(self, state: FitState) -> _Outcome:
        """E-step, and the M-step if there is to be one."""
        try:
            expected = self.engine.expectation(state.mixture)
        except np.linalg.LinAlgError as error:
            raise NumericalError(
                f"{error} after {len(state.log_likelihoods)} steps of EM",
                "systems under which the outputs have a covariance",
                "scale the outputs to unit variance, or start from systems of smaller matrices",
            ) from error
        total = float(expected.log_likelihoods.sum())
        history = (*state.log_likelihoods, total)
        self._check(history)
        if self.on_iteration is not None:
            self.on_iteration(len(history) - 1, total)
        converged = len(history) > 1 and total - history[-2] < self.settings.tolerance * self.numbers
        if converged or len(history) > self.settings.most_iterations:
            return _Outcome(FitState(state.mixture, history, state.notes), expected, converged)
        best = maximised(expected.statistics, state.mixture.systems, self.constraints)
        new = [note for note in best.notes if note not in state.notes]
        for note in new:
            print(f"EM, step {len(history)}: {note}", flush=True)
        weights = floored_weights(expected.responsibilities.mean(axis=0), _least_weight(state.mixture))
        return _Outcome(FitState(Mixture(best.systems, weights), history, (*state.notes, *new)), expected, None)

    def _check(self, history: tuple[float, ...]) -> None:
        if not np.isfinite(history[-1]):
            raise NumericalError(
                f"the log-likelihood is {history[-1]} after {len(history) - 1} steps of EM",
                "a finite one",
                "check the outputs' scale, or start from other systems",
            )
        rounding = getattr(self.engine, "rounding", _ROUNDING)  # an engine of single precision has its own
        if len(history) > 1 and history[-1] < history[-2] - rounding * self.numbers:
            raise NumericalError(
                f"EM's log-likelihood fell from {history[-2]:.9g} to {history[-1]:.9g} in step {len(history) - 1}",
                "one that never falls",
                "scale the outputs to unit variance; if it still falls, the M-step has a defect: please report it",
            )


def _least_weight(mixture: Mixture) -> float:
    return min(_LEAST_WEIGHT, 0.5 / mixture.n_components)
