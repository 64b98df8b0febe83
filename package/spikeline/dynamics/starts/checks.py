"""What no start can be made of, whatever the method."""

from __future__ import annotations

import numpy as np

from spikeline.config.molds import FitSettings, lags_of
from spikeline.dynamics.notes import Notes
from spikeline.dynamics.trajectories import Trajectories
from spikeline.errors import ConfigError, DataError

__all__ = ["check_outputs", "checked_lags"]

_LARGE_OFFSET = 0.5  # standard deviations
_STILL = 1e-9


def checked_lags(trajectories: Trajectories, n_components: int, n_states: int, settings: FitSettings) -> int:
    """Lags of the responses, lag 0 included, once what was asked for is checked against the data.

    Parameters
    ----------
    trajectories, n_components, n_states, settings
        As for `start.make_start`.

    Raises
    ------
    ConfigError
        If K or n is less than 1, lags are too few for n states, or Stein's moments are asked of several outputs.
    DataError
        If there are fewer trajectories than components, or K exceeds the numbers in a response.
    """
    for name, number in (("n_components", n_components), ("n_states", n_states)):
        if number < 1:
            raise DataError(f"{name} is {number}", "1 or more", f"set {name}")
    lags = lags_of(n_states, settings.moments.lags)
    if lags < 2 * n_states + 1:
        raise ConfigError(
            f"moments.lags is {lags} for {n_states} states",
            f"at least {2 * n_states + 1}",
            "raise moments.lags or leave it null, or take fewer states",
        )
    if n_components > len(trajectories):
        raise DataError(
            f"{len(trajectories)} trajectories for {n_components} components",
            "at least as many trajectories as components",
            "take fewer components, or more trajectories",
        )
    if settings.start.method != "tensor" or trajectories.n_inputs == 0:
        return lags
    if settings.moments.estimator == "stein" and trajectories.n_outputs != 1:
        raise ConfigError(
            f"moments.estimator is stein for {trajectories.n_outputs} outputs",
            "one output for Stein's moments",
            "set moments.estimator: ustat",
        )
    numbers = trajectories.n_outputs * (lags - (not settings.em.feedthrough)) * trajectories.n_inputs
    if n_components > numbers:
        raise DataError(
            f"{n_components} components of responses of {numbers} numbers",
            f"at most {numbers} components",
            "raise moments.lags, take fewer components, or start with start.method: fir_kmeans",
        )
    return lags


def check_outputs(trajectories: Trajectories, notes: Notes) -> None:
    """Refuse outputs that no system can be had of, and warn of those with an offset, which systems do not have.

    Parameters
    ----------
    trajectories
        To be fitted.
    notes
        Warnings go there.

    Raises
    ------
    DataError
        If an output is constant, or missing everywhere.
    """
    known = trajectories.known()
    for output in range(trajectories.n_outputs):
        values = trajectories.outputs[..., output][known[..., output]]
        if len(values) == 0 or float(values.std()) <= _STILL * float(np.abs(values).max()):
            raise DataError(
                f"output {output} {'is missing everywhere' if len(values) == 0 else 'is constant'}",
                "outputs that vary",
                "leave that output out",
            )
        offset, spread = float(values.mean()), float(values.std())
        if abs(offset) > _LARGE_OFFSET * spread:
            notes.warn(
                f"output {output} has the mean {offset:.3g} and the standard deviation {spread:.3g}, and systems have "
                "no offset: subtract the mean"
            )
