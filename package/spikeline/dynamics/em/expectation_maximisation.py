"""EM for a mixture of linear systems: responsibilities of whole trajectories, then every matrix in closed form."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from spikeline.blas import one_blas_thread
from spikeline.config.molds import EMSettings
from spikeline.dynamics.em.admissible_start import admissible_start
from spikeline.dynamics.em.anderson import Memory
from spikeline.dynamics.em.checkpoint import Checkpoint, FitState, fit_identity
from spikeline.dynamics.em.coordinates import as_mixture, as_vector
from spikeline.dynamics.em.engines import make_engine
from spikeline.dynamics.em.expectation import Engine, Expectation
from spikeline.dynamics.em.fit_checks import check_fit
from spikeline.dynamics.em.m_step import Constraints, floored_weights, maximised
from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.systems import spectral_radius
from spikeline.dynamics.trajectories import Trajectories
from spikeline.errors import DataError, NumericalError

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
        Of all trajectories together, nats, after each E-step; one that an extrapolation was taken back after repeats
        the value before it.
    converged
        Whether the last step gained less than the tolerance.
    notes
        Which covariances lay at their floor at some time, which components had too few trajectories to learn from, and
        which end with a spectral radius of A above 1.
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
    engine = make_engine(settings, trajectories) if engine is None else engine
    seen = trajectories.known()
    floor = _FLOOR * float(trajectories.outputs[seen].var())
    constraints = Constraints(
        floor,
        feedthrough=settings.feedthrough,
        diagonal=settings.diagonal_observation_noise,
        shared_outputs=settings.shared_outputs,
        state_floor=_in_units_of_states(floor, start),
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
    assert outcome.expected is not None  # a fit ends after an E-step that stands
    return MixtureFit(
        outcome.state.mixture,
        outcome.expected.responsibilities,
        np.array(outcome.state.log_likelihoods),
        outcome.converged,
        (*outcome.state.notes, *_growing(outcome.state.mixture)),
    )


def _growing(mixture: Mixture) -> list[str]:
    """Which components do not forget: legal on short trajectories, but worth a word."""
    radii = [spectral_radius(system.A) for system in mixture.systems]
    return [f"A of component {k} has the spectral radius {radius:.4f}" for k, radius in enumerate(radii) if radius > 1]


@dataclass(frozen=True)
class _Outcome:
    """After a step: ``converged`` is None while there is more to do, and then the state is that before the next."""

    state: FitState
    expected: Expectation | None
    converged: bool | None


@dataclass(frozen=True)
class _Climb:
    engine: Engine
    settings: EMSettings
    constraints: Constraints
    numbers: int
    on_iteration: Callable[[int, float], None] | None

    def step(self, state: FitState) -> _Outcome:
        """E-step, and the M-step if there is to be one; an extrapolation that lost likelihood is taken back instead."""
        expected, total = self._expectation(state)
        last = state.log_likelihoods[-1] if state.log_likelihoods else -np.inf
        lost = state.fallback is not None and not (np.isfinite(total) and total >= last)
        # a lost E-step counts, and the likelihood is the one that still stands
        history = (*state.log_likelihoods, last if lost else total)
        self._check(history)
        if self.on_iteration is not None:
            self.on_iteration(len(history) - 1, history[-1])
        if lost:
            return _Outcome(state.taken_back(history), None, None)
        small = len(history) > 1 and total - history[-2] < self.settings.tolerance * self.numbers
        if len(history) > self.settings.most_iterations or (small and state.fallback is None):
            return _Outcome(FitState(state.mixture, history, state.notes), expected, small)
        try:
            with one_blas_thread():  # matrices are small
                best = maximised(expected.statistics, state.mixture.systems, self.constraints)
        except np.linalg.LinAlgError as error:
            raise NumericalError(
                f"{error} in the M-step after {len(history)} E-steps",
                "sums over states that have eigenvalues",
                "scale the outputs to unit variance, or start from other systems",
            ) from error
        notes = (*state.notes, *(note for note in best.notes if note not in state.notes))
        weights = floored_weights(expected.responsibilities.mean(axis=0), _least_weight(state.mixture))
        image = Mixture(best.systems, weights)
        # what the last E-step is about must stand
        if self.settings.acceleration == "none" or len(history) == self.settings.most_iterations:
            return _Outcome(FitState(image, history, notes), None, None)
        return _Outcome(self._extrapolated(state, image, history, notes, give_up=small), None, None)

    def _extrapolated(
        self, state: FitState, image: Mixture, history: tuple[float, ...], notes: tuple[str, ...], *, give_up: bool
    ) -> FitState:
        """Where to go next, and EM's own step as the way back; ``give_up``: EM's own step, from an empty memory."""
        point = as_vector(state.mixture)
        memory = state.memory or Memory.empty(len(point))
        memory = memory.with_step(point, as_vector(image), extrapolated=state.fallback is not None)
        if give_up:
            memory = memory.forgotten(for_longer=False)
        tried = memory.extrapolation()
        if tried is None:
            return FitState(image, history, notes, memory=memory)
        candidate = self._mixture_at(tried, image)
        if candidate is None:
            return FitState(image, history, notes, memory=memory.forgotten(for_longer=True))
        return FitState(candidate, history, notes, fallback=image, memory=memory)

    def _mixture_at(self, tried: Float[np.ndarray, " P"], like: Mixture) -> Mixture | None:
        """None: so far out that there is no mixture of finite numbers, or none that keeps to the constraints."""
        if not np.isfinite(tried).all():
            return None
        try:
            with np.errstate(all="ignore"):
                return admissible_start(as_mixture(tried, like), self.constraints, _least_weight(like))
        except (DataError, np.linalg.LinAlgError):
            return None

    def _expectation(self, state: FitState) -> tuple[Expectation | None, float]:
        tried = state.fallback is not None  # an extrapolation may lead anywhere
        try:
            with np.errstate(all="ignore" if tried else None):
                expected = self.engine.expectation(state.mixture)
        except np.linalg.LinAlgError as error:
            if tried:
                return None, -np.inf
            raise NumericalError(
                f"{error} after {len(state.log_likelihoods)} steps of EM",
                "systems under which the outputs have a covariance",
                "scale the outputs to unit variance, or start from systems of smaller matrices",
            ) from error
        return expected, float(expected.log_likelihoods.sum())

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


def _in_units_of_states(variance: float, start: Mixture) -> float:
    """The variance that states have where outputs have this one, by the mean size of C: a fit knows no units."""
    size = float(np.mean(start.stacked("C") ** 2)) * start.n_states
    return variance / size if size > 0 else variance


def _least_weight(mixture: Mixture) -> float:
    return min(_LEAST_WEIGHT, 0.5 / mixture.n_components)
