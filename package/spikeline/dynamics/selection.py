"""How many components and states: fits of many sizes, and which of them a criterion chooses."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from spikeline.config.molds import FitSettings
from spikeline.dynamics.bayesian_information import parameter_count
from spikeline.dynamics.fit import fit_molds
from spikeline.dynamics.fitted import FittedMolds
from spikeline.dynamics.trajectories import Trajectories
from spikeline.errors import ConfigError, DataError, NumericalError
from spikeline.progress import ProgressBar

__all__ = ["CRITERIA", "SizeScore", "SizeSelection", "best_size", "scored_sizes", "select_molds"]

CRITERIA = ("bic", "validation_bic", "validation_likelihood")


@dataclass(frozen=True)
class SizeScore:
    """One fit.

    Parameters
    ----------
    components, states
        K and n.
    parameters
        Numbers that were fitted.
    likelihood, validation_likelihood
        Of the trajectories fitted to and of those to validate on, nats per number in the outputs.
    bic, bic_by_steps
        On the trajectories fitted to; sizes of samples are the numbers of trajectories, and of steps. Less is better.
    validation_bic
        On the trajectories to validate on, by their number.
    iterations, converged
        Of EM.
    start
        Where it started.
    problem
        Why there is no fit; numbers are NaN then.
    """

    components: int
    states: int
    parameters: int
    likelihood: float = math.nan
    validation_likelihood: float = math.nan
    bic: float = math.nan
    bic_by_steps: float = math.nan
    validation_bic: float = math.nan
    iterations: int = 0
    converged: bool = False
    start: str = ""
    problem: str = ""


@dataclass(frozen=True)
class SizeSelection:
    """Sizes that were tried, and the fit of the one that was chosen.

    Parameters
    ----------
    scores
        Of each size, in the order they were tried.
    best
        The chosen fit.
    criterion
        What chose it.
    """

    scores: tuple[SizeScore, ...]
    best: FittedMolds
    criterion: str


def select_molds(
    trajectories: Trajectories,
    n_components: Iterable[int],
    n_states: Iterable[int],
    settings: FitSettings | None = None,
    *,
    validation: Trajectories | None = None,
    criterion: str = "bic",
    seed: int = 0,
    progress: bool = True,
) -> SizeSelection:
    """Fit every number of components with every number of states, and choose.

    Parameters
    ----------
    trajectories
        What is fitted.
    n_components, n_states
        Numbers K and n to try.
    settings
        Of each fit; None: the defaults.
    validation
        Trajectories that no fit sees, for the criteria that begin with "validation".
    criterion
        bic: Schwarz's, on the fitted trajectories; validation_bic, validation_likelihood: on those left out.
    seed
        Of what is drawn.
    progress
        Show a bar, where stderr is a terminal.

    Returns
    -------
    SizeSelection
        A size that cannot be fitted to these trajectories is among the scores, with its problem.

    Raises
    ------
    DataError
        If there is nothing to try, no such criterion, nothing to validate on, or no size can be fitted.
    """
    sizes = list(itertools.product(n_components, n_states))
    if criterion not in CRITERIA:
        raise DataError(f"criterion {criterion!r}", f"one of {', '.join(CRITERIA)}", "name one of them")
    if validation is not None and not validation.known().any():
        raise DataError(
            f"{len(validation)} trajectories to validate on, without an observed output",
            "trajectories that no fit sees",
            "give some of the trajectories as validation, or None",
        )
    if validation is None and criterion != "bic":
        raise DataError(
            f"criterion {criterion}, and no trajectories to validate on",
            "trajectories that no fit sees",
            "give some of the trajectories as validation, or choose by bic",
        )
    scores: list[SizeScore] = []
    best: FittedMolds | None = None
    bar = ProgressBar("sizes", len(sizes)) if progress else None
    try:
        for score, fit in _fits(trajectories, sizes, settings or FitSettings(), seed, validation):
            scores.append(score)
            if fit is not None and best_size(scores, criterion) == (score.components, score.states):
                best = fit
            if bar is not None:
                bar.show(len(scores), f"{score.components} components of {score.states} states")
    finally:
        if bar is not None:
            bar.close()
    best_size(scores, criterion)  # says why there is none
    assert best is not None
    return SizeSelection(tuple(scores), best, criterion)


def scored_sizes(
    trajectories: Trajectories,
    sizes: Iterable[tuple[int, int]],
    settings: FitSettings,
    seed: int,
    validation: Trajectories | None = None,
) -> list[SizeScore]:
    """Fit every size; one that cannot be fitted to these trajectories says why.

    Parameters
    ----------
    trajectories
        What is fitted.
    sizes
        (K, n).
    settings, seed
        How each is fitted.
    validation
        Trajectories that no fit sees.
    """
    return [score for score, _ in _fits(trajectories, sizes, settings, seed, validation)]


def _fits(
    trajectories: Trajectories,
    sizes: Iterable[tuple[int, int]],
    settings: FitSettings,
    seed: int,
    validation: Trajectories | None,
) -> Iterator[tuple[SizeScore, FittedMolds | None]]:
    numbers = _numbers(trajectories)
    for K, n in sizes:
        count = parameter_count(K, n, trajectories.n_inputs, trajectories.n_outputs, settings.em)
        try:
            fit = fit_molds(trajectories, K, n, settings, seed=seed, progress=False)
        except (ConfigError, DataError, NumericalError) as error:
            yield SizeScore(K, n, count, problem=error.seen), None
            continue
        information = fit.bayesian_information(trajectories)
        score = SizeScore(
            K,
            n,
            count,
            likelihood=float(fit.log_likelihood(trajectories).sum()) / numbers,
            bic=information.by_trajectories,
            bic_by_steps=information.by_steps,
            iterations=len(fit.log_likelihoods) - 1,
            converged=fit.converged,
            start=fit.start.method,
        )
        if validation is not None:
            score = replace(
                score,
                validation_likelihood=float(fit.log_likelihood(validation).sum()) / _numbers(validation),
                validation_bic=fit.bayesian_information(validation).by_trajectories,
            )
        yield score, fit


def _numbers(trajectories: Trajectories) -> float:
    """Numbers in the outputs."""
    return float(trajectories.known().sum())


def best_size(scores: Sequence[SizeScore], criterion: str) -> tuple[int, int]:
    """(K, n) of least BIC, or of most likely validation trajectories; of equals the smaller.

    Raises
    ------
    DataError
        If no size could be fitted.
    """
    fitted = [score for score in scores if not score.problem]
    if not fitted:
        raise DataError(
            f"none of {len(scores)} sizes could be fitted, for: {scores[0].problem if scores else 'none was tried'}",
            "one or more that can",
            "do what that asks for; else lower states and components, or use longer trajectories",
        )
    sign = -1 if criterion == "validation_likelihood" else 1
    best = min(fitted, key=lambda score: (sign * getattr(score, criterion), score.parameters))
    return best.components, best.states
