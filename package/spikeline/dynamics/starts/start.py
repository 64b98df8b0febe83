"""The mixture that EM starts from, by the method the settings name, or by another where that one cannot work."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from spikeline.artifacts import seed_stream
from spikeline.config.molds import FitSettings
from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.moments.unit_scale import UnitScale, unit_scale
from spikeline.dynamics.notes import Notes
from spikeline.dynamics.starts.checks import check_outputs, checked_lags
from spikeline.dynamics.starts.fir_kmeans import fir_kmeans
from spikeline.dynamics.starts.ho_kalman import Realisation, realise
from spikeline.dynamics.starts.input_free import input_free_kmeans
from spikeline.dynamics.starts.noise_initialisation import with_noise
from spikeline.dynamics.starts.random_start import random_start
from spikeline.dynamics.starts.tensor_start import tensor_responses
from spikeline.dynamics.trajectories import Trajectories
from spikeline.errors import DataError

__all__ = ["Start", "make_start"]


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
    lags = checked_lags(trajectories, n_components, n_states, settings)
    check_outputs(trajectories)
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
