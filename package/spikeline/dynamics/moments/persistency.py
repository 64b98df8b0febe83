"""Whether the inputs of trajectories allow moments, in numbers: what there is to see before, or in place of, a fit."""

from __future__ import annotations

import math
from dataclasses import dataclass

from spikeline.dynamics.moments.excitation import measured_excitation
from spikeline.dynamics.moments.input_correlation import input_correlation
from spikeline.dynamics.moments.prefilter import filtered, whitening_filter
from spikeline.dynamics.moments.trial_locked import without_trial_locked
from spikeline.dynamics.trajectories import Trajectories

__all__ = ["Persistency", "persistency"]


@dataclass(frozen=True)
class Persistency:
    """Of inputs.

    Parameters
    ----------
    input_lags
        Over how many lags the next three are.
    input_rank, input_dimension, input_condition
        Of the covariance of lagged inputs, about what they have in common: persistently exciting inputs have full rank.
    input_steadiness
        1 where inputs vary as much at every step, 1 / T where they do so at one.
    trial_locked_share
        Of the inputs' variance, what all trajectories have in common.
    input_correlation
        Largest correlation with earlier inputs; white ones have none. Of inputs of less than full rank, which cannot be
        brought to unit covariance, it says nothing: NaN, and no filter is made.
    input_filter_order, input_correlation_filtered
        Of the filter that makes inputs white, and what it leaves; 0 and NaN for trajectories too short to have one too.
    """

    input_lags: int
    input_rank: int
    input_dimension: int
    input_condition: float
    input_steadiness: float
    trial_locked_share: float
    input_correlation: float
    input_filter_order: int
    input_correlation_filtered: float


def persistency(
    trajectories: Trajectories, lags: int, most_filter_lags: int, *, feedthrough: bool = True
) -> Persistency:
    """Measure the inputs of trajectories.

    Parameters
    ----------
    trajectories
        With one input or more.
    lags
        Of the responses, lag 0 included; fewer are taken where no trajectory is as long.
    most_filter_lags
        Of the filter.
    feedthrough
        Whether inputs reach outputs of the same step; else lag 0 is left out.
    """
    first_lag = 0 if feedthrough else 1
    longest = int(trajectories.lengths.max())
    kept = max(1, min(lags, longest) - first_lag)
    centred = without_trial_locked(trajectories)
    found = measured_excitation(centred, kept, first_lag)
    part = centred.trajectories
    whole = found.rank == found.dimension
    before = input_correlation(part, lags).largest if whole else math.nan
    order, after = 0, math.nan
    if whole and longest > most_filter_lags + 1:
        coefficients = whitening_filter(part, most_filter_lags)
        order, after = len(coefficients), input_correlation(filtered(part, coefficients), lags).largest
    return Persistency(
        kept,
        found.rank,
        found.dimension,
        found.condition,
        found.steadiness,
        centred.share,
        before,
        order,
        after,
    )
