"""The mixture that EM starts from, by the method the settings name, or by another where that one cannot work."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spikeline.artifacts import seed_stream
from spikeline.config.molds import FitSettings
from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.moments.unit_scale import UnitScale, unit_scale
from spikeline.dynamics.notes import Notes
from spikeline.dynamics.starts.checks import check_outputs, checked_lags
from spikeline.dynamics.starts.fir_kmeans import fir_kmeans
from spikeline.dynamics.starts.from_responses import mixture_from_responses
from spikeline.dynamics.starts.input_free import input_free_kmeans
from spikeline.dynamics.starts.noise_initialisation import with_noise
from spikeline.dynamics.starts.random_start import random_start
from spikeline.dynamics.starts.tensor_start import tensor_responses
from spikeline.dynamics.trajectories import Trajectories
from spikeline.errors import DataError, NumericalError

__all__ = ["Start", "StartWarning", "make_start"]


class StartWarning(UserWarning):
    """What a reader should know before trusting where EM starts, above all that another method had to be taken."""


@dataclass(frozen=True)
class Start:
    """A mixture to start EM from, and how it was come by.

    Parameters
    ----------
    mixture
        Systems and weights.
    method
        What was used in the end: "tensor", "fir_kmeans", "short_runs" or "random".
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
        Of the whole fit: ``start`` names the method; of ``short_runs`` the clusters are made here, and the runs by
        `spikeline.dynamics.short_runs`. With ``start.fall_back``, data of which moments cannot be had, or whose
        moments cannot be taken apart, are clustered instead, and the start says so in its warnings and in
        ``notes["fell_back"]``.
    seed
        Root seed of what is random.

    Raises
    ------
    ConfigError
        If lags are too few for n states, or Stein's moments are asked of several outputs.
    DataError
        If K or n is less than 1, an output is constant, there are fewer trajectories than components, K exceeds the
        numbers in a response, or the method cannot work on these trajectories.
    NumericalError
        If moments cannot be taken apart, and there is no falling back.
    """
    lags = checked_lags(trajectories, n_components, n_states, settings)
    notes = Notes()
    check_outputs(trajectories, notes)
    search = _Search(trajectories, unit_scale(trajectories), n_components, n_states, lags, settings, seed, notes)
    return search.start()


@dataclass(frozen=True)
class _Search:
    """For a start, in units in which inputs are white and outputs of size one."""

    trajectories: Trajectories
    scale: UnitScale
    n_components: int
    n_states: int
    lags: int
    settings: FitSettings
    seed: int
    notes: Notes

    def start(self) -> Start:
        method = self.settings.start.method
        if method == "random":
            found = self._random()
        elif method != "tensor":
            method, found = "fir_kmeans", self._from_clusters()
        else:
            try:
                found = self._from_moments()
            except (DataError, NumericalError) as error:
                if not self.settings.start.fall_back:
                    raise
                self.notes.warn(
                    f"no start from moments of these trajectories ({error.seen}): EM starts from clusters of their own "
                    "responses, or from a random mixture where that one is more likely"
                )
                self.notes["fell_back"] = error.seen
                method, found = "fir_kmeans", self._from_clusters()
        return Start(found, method, dict(self.notes), tuple(self.notes.warnings))

    def _random(self) -> Mixture:
        sizes = self.n_components, self.n_states, self.trajectories.n_inputs, self.trajectories.n_outputs
        draw = seed_stream(self.seed, "molds-random-start")
        return self._in_units_of_the_data(random_start(*sizes, draw, feedthrough=self.settings.em.feedthrough))

    def _from_moments(self) -> Mixture:
        draw = seed_stream(self.seed, "molds-decomposition")
        found = tensor_responses(self.trajectories, self.n_components, self.lags, self.settings, draw, self.notes)
        return mixture_from_responses(
            found.markov, found.weights, self.trajectories, self.n_states, self.settings.start, self.notes,
            feedthrough=self.settings.em.feedthrough,
        )  # fmt: skip

    def _from_clusters(self) -> Mixture:
        scaled = self.scale.scaled(self.trajectories)
        if scaled.n_inputs == 0:
            made = input_free_kmeans(scaled, self.n_components, self.n_states, self.seed, self.notes)
        else:
            sizes, feedthrough = (self.n_components, self.n_states, self.lags), self.settings.em.feedthrough
            made = fir_kmeans(scaled, *sizes, self.seed, self.notes, feedthrough=feedthrough)
        realisations, labels = made
        self.notes["shrunk"] = [realisation.shrunk for realisation in realisations]
        self.notes["singular_values"] = [realisation.singular_values.tolist() for realisation in realisations]
        systems = with_noise(realisations, scaled, self.settings.start.noise, labels)
        return self._in_units_of_the_data(Mixture(tuple(systems), np.bincount(labels) / len(labels)))

    def _in_units_of_the_data(self, found: Mixture) -> Mixture:
        return Mixture(tuple(self.scale.undone(system) for system in found.systems), found.weights)
