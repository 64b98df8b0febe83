"""How many components and states: fits of many sizes, and which of them a criterion chooses."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from spikeline.config.molds import FitSettings
from spikeline.dynamics.fit import fit_molds
from spikeline.dynamics.neural.neural_trajectories import TRAIN, VALIDATION, NeuralTrajectories
from spikeline.dynamics.selection import parameter_count
from spikeline.errors import ConfigError, DataError, NumericalError

__all__ = ["CRITERIA", "SizeScore", "best_size", "scored_sizes"]

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
        Of the trials fitted to and of the validation trials, nats per number in the outputs.
    bic, bic_by_steps
        On the trials fitted to; sizes of samples are the numbers of trials, and of steps. Less is better.
    validation_bic
        On the validation trials, by their number.
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


def scored_sizes(
    data: NeuralTrajectories, sizes: Iterable[tuple[int, int]], settings: FitSettings, seed: int
) -> list[SizeScore]:
    """Fit every size; one that cannot be fitted to these trials says why.

    Parameters
    ----------
    data
        Of a session.
    sizes
        (K, n).
    settings, seed
        How each is fitted.
    """
    train, validation = data.of(TRAIN), data.of(VALIDATION)
    numbers = [float(part.lengths.sum()) * part.n_outputs for part in (train, validation)]
    scores = []
    for K, n in sizes:
        count = parameter_count(K, n, train.n_inputs, train.n_outputs, settings.em)
        try:
            fit = fit_molds(train, K, n, settings, seed=seed, progress=False)
        except (ConfigError, DataError, NumericalError) as error:
            scores.append(SizeScore(K, n, count, problem=error.seen))
            continue
        fitted, held_out = (float(fit.log_likelihood(part).sum()) for part in (train, validation))
        information = fit.bayesian_information(train)
        scores.append(
            SizeScore(
                K,
                n,
                count,
                likelihood=fitted / numbers[0],
                validation_likelihood=held_out / numbers[1],
                bic=information.by_trajectories,
                bic_by_steps=information.by_steps,
                validation_bic=fit.bayesian_information(validation).by_trajectories,
                iterations=len(fit.log_likelihoods) - 1,
                converged=fit.converged,
                start=fit.start.method,
            )
        )
    return scores


def best_size(scores: Sequence[SizeScore], criterion: str) -> tuple[int, int]:
    """(K, n) of least BIC, or of most likely validation trials; of equals the smaller.

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
            "lower states and components, or use longer trials",
        )
    sign = -1 if criterion == "validation_likelihood" else 1
    best = min(fitted, key=lambda score: (sign * getattr(score, criterion), score.parameters))
    return best.components, best.states
