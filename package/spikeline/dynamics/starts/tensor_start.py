"""Impulse responses of all components from moments: the tensor stage, from trajectories to responses and weights."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from spikeline.config.molds import FitSettings, MomentSettings
from spikeline.dynamics.moments.moment_sums import MomentSum
from spikeline.dynamics.moments.preparation import prepared_for_moments
from spikeline.dynamics.moments.stein_moments import stein_second_moment, stein_third_moment
from spikeline.dynamics.moments.ustat_moments import ustat_second_moment, ustat_third_moment
from spikeline.dynamics.notes import Notes
from spikeline.dynamics.tensor.mixture_responses import MixtureResponses, mixture_responses
from spikeline.dynamics.tensor.tensor_decomposition import power_method, simultaneous_diagonalisation
from spikeline.dynamics.tensor.whitening import whitened_directions
from spikeline.dynamics.trajectories import Trajectories

__all__ = ["tensor_responses"]

_GAUSSIAN = 0.5
_WEIGHTS_NEAR_ONE = (0.5, 2.0)


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
        What the responses are of, in any units.
    n_components, lags
        K, and how much of the responses, lag 0 included.
    settings
        Filter, estimator, decomposition, and whether lag 0 is zero (``em.feedthrough``).
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
    prepared = prepared_for_moments(trajectories, lags, settings, notes)
    if settings.moments.estimator == "stein":
        _judge_tails(prepared.trajectories, notes)
    second, third = _estimators(prepared.trajectories, lags - first_lag, first_lag, settings.moments)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        whitening = whitened_directions(second().value, n_components)
    notes.warn(*(str(warning.message) for warning in caught))
    notes["second_moment_eigenvalues"] = whitening.eigenvalues[: 2 * n_components].tolist()
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
    if not _WEIGHTS_NEAR_ONE[0] <= found.raw_weight_sum <= _WEIGHTS_NEAR_ONE[1]:
        notes.warn(
            f"the tensor stage's weights have the sum {found.raw_weight_sum:.3g}, and exact moments would give 1: take "
            "fewer components or more data, and compare with start.method: fir_kmeans"
        )
    responses = prepared.scale.responses_undone(found.markov)
    return MixtureResponses(responses, found.weights, found.raw_weight_sum)


def _judge_tails(white: Trajectories, notes: Notes) -> None:
    """Warn of inputs that are not Gaussian, which Stein's identity needs."""
    inputs = white.inputs[white.inside()]
    kurtosis = (inputs**4).mean(axis=0) / (inputs**2).mean(axis=0) ** 2 - 3
    worst = int(np.abs(kurtosis).argmax())
    notes["input_excess_kurtosis"] = float(kurtosis[worst])
    if abs(kurtosis[worst]) > _GAUSSIAN:
        notes.warn(
            f"input {worst}, made white, has an excess kurtosis of {kurtosis[worst]:.2g}, and Stein's moments need "
            "Gaussian inputs: set moments.estimator: ustat"
        )


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
