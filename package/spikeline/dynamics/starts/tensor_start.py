"""Impulse responses of all components from moments: the tensor stage, from trajectories to responses and weights."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from spikeline.config.molds import FitSettings, MomentSettings
from spikeline.dynamics.moments.moment_sums import MomentSum
from spikeline.dynamics.moments.stein_moments import stein_second_moment, stein_third_moment
from spikeline.dynamics.moments.unit_scale import unit_scale
from spikeline.dynamics.moments.ustat_moments import ustat_second_moment, ustat_third_moment
from spikeline.dynamics.starts.notes import Notes
from spikeline.dynamics.tensor.mixture_responses import MixtureResponses, mixture_responses
from spikeline.dynamics.tensor.tensor_decomposition import power_method, simultaneous_diagonalisation
from spikeline.dynamics.tensor.whitening import whitened_directions
from spikeline.dynamics.trajectories import Trajectories

__all__ = ["tensor_responses"]


def tensor_responses(
    trajectories: Trajectories,
    n_components: int,
    lags: int,
    settings: FitSettings,
    draw: np.random.Generator,
    notes: Notes,
) -> MixtureResponses:
    """Moments, whitened and taken apart.

    Parameters
    ----------
    trajectories
        What the responses are of.
    n_components, lags
        K, and how much of the responses, lag 0 included.
    settings
        Estimator, decomposition, and whether lag 0 is zero (``em.feedthrough``).
    draw
        Where the decomposition's random directions come from.
    notes
        What was found on the way is written there.

    Raises
    ------
    DataError
        If moments cannot be had of these trajectories.
    """
    first_lag = 0 if settings.em.feedthrough else 1
    scale = unit_scale(trajectories)
    white = scale.scaled(trajectories)
    second, third = _estimators(white, lags - first_lag, first_lag, settings.moments)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        whitening = whitened_directions(second().value, n_components)
    notes.warn(*(str(warning.message) for warning in caught))
    decompose = simultaneous_diagonalisation if settings.start.decomposition == "smd" else power_method
    found = mixture_responses(
        whitening,
        third(whitening.forward).value,
        lambda tensor: decompose(tensor, draw),
        trajectories.n_inputs,
        trajectories.n_outputs,
        first_lag=first_lag,
    )
    notes["raw_weight_sum"] = found.raw_weight_sum
    return MixtureResponses(scale.responses_undone(found.markov), found.weights, found.raw_weight_sum)


def _estimators(
    white: Trajectories, lags: int, first_lag: int, settings: MomentSettings
) -> tuple[Callable[[], MomentSum], Callable[[Float[np.ndarray, "d K"]], MomentSum]]:
    """The second moment, and the third as it is seen through the whitening of the second."""
    if settings.estimator == "ustat":
        return (
            lambda: ustat_second_moment(white, lags, first_lag),
            lambda whitening: ustat_third_moment(white, lags, whitening, first_lag),
        )
    stride = lags if settings.stein_every_lags else 1
    half = len(white) // 2
    first, other = (white[:half], white[half:]) if settings.stein_halves else (white, white)
    return (
        lambda: stein_second_moment(first, lags, first_lag=first_lag, stride=stride),
        lambda whitening: stein_third_moment(other, lags, whitening, first_lag=first_lag, stride=stride),
    )
