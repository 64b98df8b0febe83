"""By how much activity comes after what drives it: the delay under which held-out trials are most likely."""

from __future__ import annotations

from dataclasses import dataclass

from spikeline.config.molds import FitSettings
from spikeline.dynamics.fit import fit_molds
from spikeline.dynamics.neural.neural_trajectories import TRAIN, VALIDATION, PreparedTrials
from spikeline.dynamics.neural.prediction import explained_share

__all__ = ["DelayScore", "delays_in_bins", "scored_delays"]


@dataclass(frozen=True)
class DelayScore:
    """What a mixture makes of a delay.

    Parameters
    ----------
    delay
        Bins.
    likelihood
        Of the validation trials, nats per number in the outputs.
    explained
        R2 of the validation trials one step ahead.
    """

    delay: int
    likelihood: float
    explained: float


def delays_in_bins(delays_ms: list[float], bin_s: float) -> list[int]:
    """The different delays, in whole bins, rising."""
    return sorted({round(delay / 1e3 / bin_s) for delay in delays_ms})


def scored_delays(
    trials: PreparedTrials, delays: list[int], n_components: int, n_states: int, settings: FitSettings, seed: int
) -> list[DelayScore]:
    """Fit a mixture at each delay, all of them to the same outputs.

    Parameters
    ----------
    trials
        Signals and inputs.
    delays
        Bins.
    n_components, n_states
        Of the mixture. One system will not do: where directions differ, it makes up for that by a wrong delay.
    settings, seed
        How it is fitted.
    """
    scores = []
    for delay in delays:
        made = trials.delayed(delay, as_for=tuple(delays))
        validation = made.of(VALIDATION)
        fit = fit_molds(made.of(TRAIN), n_components, n_states, settings, seed=seed, progress=False)
        numbers = float(validation.lengths.sum()) * validation.n_outputs
        likelihood = float(fit.log_likelihood(validation).sum()) / numbers
        scores.append(DelayScore(delay, likelihood, explained_share(fit.forecast(validation), validation, 1)[0]))
    return scores
