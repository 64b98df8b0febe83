"""The mixture that EM starts from, by the method the settings name."""

from __future__ import annotations

from dataclasses import dataclass

from spikeline.artifacts import seed_stream
from spikeline.config.molds import FitSettings
from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.moments.unit_scale import unit_scale
from spikeline.dynamics.starts.ho_kalman import realise
from spikeline.dynamics.starts.noise_initialisation import with_noise
from spikeline.dynamics.starts.notes import Notes
from spikeline.dynamics.starts.tensor_start import tensor_responses
from spikeline.dynamics.trajectories import Trajectories

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
        Of the whole fit: ``start`` names the method.
    seed
        Root seed of what is random.
    """
    notes = Notes()
    scale = unit_scale(trajectories)
    scaled = scale.scaled(trajectories)
    lags = settings.moments.lags or 2 * n_states + 2
    draw = seed_stream(seed, "molds-decomposition")
    found = tensor_responses(scaled, n_components, lags, settings, draw, notes)
    realisations = [realise(response, n_states) for response in found.markov]
    systems = with_noise(realisations, scaled, settings.start.noise)
    mixture = Mixture(tuple(scale.undone(system) for system in systems), found.weights)
    return Start(mixture, "tensor", dict(notes), tuple(notes.warnings))
