"""Trajectories as moments need them: about their mean, with inputs that are white and of unit covariance."""

from __future__ import annotations

from dataclasses import dataclass

from spikeline.config.molds import FitSettings
from spikeline.dynamics.moments.excitation import excitation
from spikeline.dynamics.moments.input_correlation import InputCorrelation, input_correlation
from spikeline.dynamics.moments.prefilter import filtered, whitening_filter
from spikeline.dynamics.moments.trial_locked import without_trial_locked
from spikeline.dynamics.moments.unit_scale import UnitScale, unit_scale
from spikeline.dynamics.notes import Notes
from spikeline.dynamics.trajectories import Trajectories
from spikeline.errors import DataError

__all__ = ["PreparedTrajectories", "prepared_for_moments"]

_BY_CHANCE = 1e-3
_MOSTLY_COMMON = 0.5
_NOTED, _TOO_CORRELATED = 0.1, 0.3


@dataclass(frozen=True)
class PreparedTrajectories:
    """What moments are made of.

    Parameters
    ----------
    trajectories
        White, in units of ``scale``.
    scale
        The way back from their responses to those of the trajectories as they were.
    """

    trajectories: Trajectories
    scale: UnitScale


def prepared_for_moments(
    trajectories: Trajectories, lags: int, settings: FitSettings, notes: Notes
) -> PreparedTrajectories:
    """Take out the trial-locked part, check the excitation, filter, and scale.

    With ``prefilter.whiten: auto`` inputs are filtered where correlations over the lags as large as theirs have a
    probability below 0.001 if inputs are white (`input_correlation`).

    Parameters
    ----------
    trajectories
        As they were recorded.
    lags
        Of the responses, lag 0 included.
    settings
        Estimator, filter, feedthrough.
    notes
        What was found is written there.

    Raises
    ------
    DataError
        If moments cannot be had of these trajectories.
    """
    first_lag = 0 if settings.em.feedthrough else 1
    _check_lengths(trajectories, lags, first_lag, settings, order=0)
    centred = without_trial_locked(trajectories)
    notes["trial_locked_share"], notes["trial_locked_removed"] = centred.share, centred.removed
    notes["removed_input_power"] = centred.removed_power
    if centred.removed_power > _MOSTLY_COMMON:
        notes.warn(
            f"{centred.removed_power:.0%} of the inputs' power is their mean over steps and trajectories, and what "
            "each component answers to it is noise to the moments: subtract means from inputs and outputs where they "
            "mean nothing, or start with start.method: fir_kmeans"
        )
    excited = excitation(centred, lags - first_lag, first_lag)
    notes["input_condition"], notes["input_steadiness"] = excited.condition, excited.steadiness

    before = input_correlation(centred.trajectories, lags)
    notes["input_correlation"], notes["input_correlation_probability"] = before.largest, before.probability
    whiten = settings.prefilter.whiten
    filters = whiten == "on" or (whiten == "auto" and before.probability < _BY_CHANCE)
    notes["prefilter_order"] = 0
    part, after = centred.trajectories, before
    if filters:
        coefficients = whitening_filter(part, settings.prefilter.most_lags)
        _check_lengths(part, lags, first_lag, settings, order=len(coefficients))
        part = filtered(part, coefficients)
        after = input_correlation(part, lags)
        notes["prefilter_order"], notes["prefilter_coefficients"] = len(coefficients), coefficients.tolist()
        notes["input_correlation_filtered"] = after.largest
    _judge(after, filters, notes)
    scale = unit_scale(part)
    return PreparedTrajectories(scale.scaled(part), scale)


def _check_lengths(trajectories: Trajectories, lags: int, first_lag: int, settings: FitSettings, order: int) -> None:
    windows = 3 if settings.moments.estimator == "ustat" else 1
    needed = windows * (lags - first_lag) + first_lag + order
    longest = int(trajectories.lengths.max())
    if longest >= needed:
        return
    usable = (longest - order - first_lag) // windows + first_lag
    filtering = f" once a filter of order {order} has run in" if order else ""
    raise DataError(
        f"trajectories of {longest} steps at most, for responses over {lags} lags",
        f"{needed} steps: {windows} window{'s' if windows > 1 else ''} of the lags{filtering}",
        f"set moments.lags to {usable} or less, where n states need 2 n + 1; or start with start.method: fir_kmeans"
        if usable >= 3
        else "start with start.method: fir_kmeans, or take longer trajectories",
    )


def _judge(after: InputCorrelation, filters: bool, notes: Notes) -> None:
    """Warn of inputs that are still correlated; refuse them where the filter was to help and could not."""
    if after.largest < _NOTED or after.probability >= _BY_CHANCE:
        return
    which = "filtered inputs" if filters else "inputs"
    seen = f"{which} have a correlation of {after.largest:.2g} at lag {after.lag}"
    remedy = "raise prefilter.most_lags, or start with start.method: fir_kmeans"
    if filters and after.largest >= _TOO_CORRELATED:
        raise DataError(seen, f"less than {_TOO_CORRELATED}: moments are biased by about as much", remedy)
    notes.warn(f"{seen}, which biases moments by about as much; {remedy if filters else 'set prefilter.whiten: auto'}")
