"""From the tensor stage's responses to a mixture that EM can start from."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from spikeline.config.molds import StartSettings
from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.moments.unit_scale import unit_scale
from spikeline.dynamics.notes import Notes
from spikeline.dynamics.starts.ho_kalman import realise
from spikeline.dynamics.starts.noise_initialisation import with_noise
from spikeline.dynamics.starts.regressed_groups import nearest_responses, regressed_groups
from spikeline.dynamics.trajectories import Trajectories

__all__ = ["mixture_from_responses"]


def mixture_from_responses(
    markov: Float[np.ndarray, "K lags q m"],
    weights: Float[np.ndarray, " K"],
    trajectories: Trajectories,
    n_states: int,
    settings: StartSettings,
    notes: Notes,
    *,
    feedthrough: bool = True,
) -> Mixture:
    """Realise responses, regressed anew or as they are, and give them noise from what they leave of the outputs.

    Parameters
    ----------
    markov, weights
        Of the components, lag 0 included, in the units of the trajectories.
    trajectories
        All that were moments taken of.
    n_states
        n.
    settings
        ``regress_anew`` and ``noise``.
    notes
        What was found on the way is written there.
    feedthrough
        Whether lag 0 is estimated; else it is zero.
    """
    scale = unit_scale(trajectories)
    scaled, responses = scale.scaled(trajectories), scale.responses_scaled(markov)
    if settings.regress_anew:
        K, lags = responses.shape[:2]
        first_lag = 0 if feedthrough else 1
        first = nearest_responses(scaled, responses, first_lag)
        realisations, labels = regressed_groups(scaled, first, K, n_states, lags, first_lag)
        weights = np.bincount(labels, minlength=K) / len(labels)
        notes["moved_share"] = float(np.mean(labels != first))
    else:
        realisations, labels = [realise(response, n_states) for response in responses], None
    notes["shrunk"] = [realisation.shrunk for realisation in realisations]
    notes["singular_values"] = [realisation.singular_values.tolist() for realisation in realisations]
    systems = with_noise(realisations, scaled, settings.noise, labels)
    return Mixture(tuple(scale.undone(system) for system in systems), weights)
