"""The mixture that EM starts from, by the method the settings name, or by another where that one cannot work."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from spikeline.artifacts import seed_stream
from spikeline.config.molds import FitSettings
from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.moments.known_outputs import known_outputs
from spikeline.dynamics.moments.unit_scale import UnitScale, unit_scale
from spikeline.dynamics.notes import Notes
from spikeline.dynamics.starts.fir_kmeans import fir_kmeans
from spikeline.dynamics.starts.ho_kalman import Realisation, realise
from spikeline.dynamics.starts.input_free import input_free_kmeans
from spikeline.dynamics.starts.noise_initialisation import with_noise
from spikeline.dynamics.starts.random_start import random_start
from spikeline.dynamics.starts.tensor_start import tensor_responses
from spikeline.dynamics.trajectories import Trajectories
from spikeline.errors import ConfigError, DataError

__all__ = ["Start", "make_start"]

_STILL = 1e-9


@dataclass(frozen=True)
class Start:
    """A mixture to start EM from, and how it was come by.

    Parameters
    ----------
    mixture
        Systems and weights.
    method
        What was used in the end: "tensor", "fir_kmeans" or "random".
    notes
        Values found on the way, by name.
    warnings
        What a reader should know before trusting it.
    """

    mixture: Mixture
    method: str
    notes: dict[str, float | str | bool | list]
    warnings: tuple[str, ...]


def make_start(trajectories: Trajectories, n_components: int, n_states: int, settings: FitSettings, seed: int) -> Start:
    """Find where to start EM.

    Parameters
    ----------
    trajectories
        To be fitted.
    n_components, n_states
        K and n.
    settings
        Of the whole fit: ``start`` names the method. With ``start.fall_back``, data of which moments cannot be had are
        clustered instead, and the start says so in its warnings and in ``notes["fell_back"]``.
    seed
        Root seed of what is random.

    Raises
    ------
    ConfigError
        If K or n is less than 1, lags are too few for n states, or Stein's moments are asked of several outputs.
    DataError
        If an output is constant, there are fewer trajectories than components, K exceeds the numbers in a response, or
        the method cannot work on these trajectories.
    """
    lags = _lags(trajectories, n_components, n_states, settings)
    _check_outputs(trajectories)
    notes = Notes()
    scale = unit_scale(trajectories)
    method = settings.start.method
    if method == "random":
        draw = seed_stream(seed, "molds-random-start")
        sizes = trajectories.n_inputs, trajectories.n_outputs
        drawn = random_start(n_components, n_states, *sizes, draw, feedthrough=settings.em.feedthrough)
        return _start(drawn.systems, drawn.weights, scale, method, notes)
    found = None
    if method == "tensor":
        try:
            found = _from_moments(trajectories, n_components, n_states, lags, settings, seed, scale, notes)
        except DataError as error:
            if not settings.start.fall_back:
                raise
            method, notes["fell_back"] = "fir_kmeans", error.seen
            notes.warn(f"no moments of these trajectories ({error.seen}): clustered by their own responses instead")
    scaled = scale.scaled(trajectories)
    realisations, weights = found or _from_clusters(scaled, n_components, n_states, lags, settings, seed, notes)
    notes["shrunk"] = [realisation.shrunk for realisation in realisations]
    notes["singular_values"] = [realisation.singular_values.tolist() for realisation in realisations]
    systems = with_noise(realisations, scaled, settings.start.noise)
    return _start(systems, weights, scale, method, notes)


def _start(systems, weights: Float[np.ndarray, " K"], scale: UnitScale, method: str, notes: Notes) -> Start:
    mixture = Mixture(tuple(scale.undone(system) for system in systems), weights)
    return Start(mixture, method, dict(notes), tuple(notes.warnings))


def _from_moments(
    trajectories: Trajectories,
    n_components: int,
    n_states: int,
    lags: int,
    settings: FitSettings,
    seed: int,
    scale: UnitScale,
    notes: Notes,
) -> tuple[list[Realisation], Float[np.ndarray, " K"]]:
    draw = seed_stream(seed, "molds-decomposition")
    found = tensor_responses(trajectories, n_components, lags, settings, draw, notes)
    return [realise(response, n_states) for response in scale.responses_scaled(found.markov)], found.weights


def _from_clusters(
    scaled: Trajectories, n_components: int, n_states: int, lags: int, settings: FitSettings, seed: int, notes: Notes
) -> tuple[list[Realisation], Float[np.ndarray, " K"]]:
    if scaled.n_inputs == 0:
        return input_free_kmeans(scaled, n_components, n_states, seed, notes)
    return fir_kmeans(scaled, n_components, n_states, lags, seed, notes, feedthrough=settings.em.feedthrough)


def _lags(trajectories: Trajectories, n_components: int, n_states: int, settings: FitSettings) -> int:
    """Of the responses, once the numbers that were asked for are checked against each other."""
    for name, number in (("n_components", n_components), ("n_states", n_states)):
        if number < 1:
            raise ConfigError(f"{name} is {number}", "1 or more", f"set {name}")
    lags = settings.moments.lags or 2 * n_states + 2
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


def _check_outputs(trajectories: Trajectories) -> None:
    known = known_outputs(trajectories)
    for output in range(trajectories.n_outputs):
        values = trajectories.outputs[..., output][known[..., output]]
        if len(values) == 0 or float(values.std()) <= _STILL * float(np.abs(values).max()):
            raise DataError(
                f"output {output} {'is missing everywhere' if len(values) == 0 else 'is constant'}",
                "outputs that vary",
                "leave that output out",
            )
