"""All scores of a found mixture beside the true one."""

from __future__ import annotations

import numpy as np

from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.scores.coordinates import parameter_error, subspace_angle
from spikeline.dynamics.scores.eigenvalues import eigenvalue_distance
from spikeline.dynamics.scores.labels import adjusted_rand_index, label_accuracy
from spikeline.dynamics.scores.likelihood import log_likelihood_per_step, most_likely_components
from spikeline.dynamics.scores.matching import match_components
from spikeline.dynamics.scores.responses import relative_markov_error
from spikeline.dynamics.scores.weights import label_frequencies, weight_error
from spikeline.dynamics.trajectories import Trajectories
from spikeline.errors import DataError

__all__ = ["score_mixture"]


def score_mixture(
    true: Mixture, found: Mixture, trajectories: Trajectories, held_out: Trajectories, lags: int
) -> dict[str, float]:
    """One number per score, by name; none depends on the order of components or on coordinates of states.

    ``markov_error``, ``markov_error_relative``, ``weight_l1`` (against the true weights), ``weight_l1_labels``
    (against the frequencies of true labels), ``ari``, ``accuracy``, ``held_out_nats_per_step``,
    ``eigenvalue_distance``, ``parameter_error`` and ``subspace_angle_rad``; those of single systems are means over
    components, which are paired by their impulse responses.

    Parameters
    ----------
    true, found
        Of as many components.
    trajectories
        What the mixture was found from, with true labels.
    held_out
        Others of the same mixture.
    lags
        Length of the responses that are compared.

    Raises
    ------
    DataError
        If the trajectories have no labels.
    """
    if trajectories.labels is None:
        raise DataError("trajectories without labels", "true labels", "score against a simulation")
    responses = true.responses(lags)
    match = match_components(responses, found.responses(lags))
    pairs = [(system, found.systems[k]) for system, k in zip(true.systems, match.estimate_of, strict=True)]
    assigned = most_likely_components(found, trajectories)
    frequencies = label_frequencies(trajectories.labels, true.n_components)
    return {
        "markov_error": match.markov_error,
        "markov_error_relative": relative_markov_error(match, responses),
        "weight_l1": weight_error(true.weights, found.weights, match.estimate_of),
        "weight_l1_labels": weight_error(frequencies, found.weights, match.estimate_of),
        "ari": adjusted_rand_index(trajectories.labels, assigned),
        "accuracy": label_accuracy(trajectories.labels, assigned, match.estimate_of),
        "held_out_nats_per_step": log_likelihood_per_step(found, held_out),
        "eigenvalue_distance": float(np.mean([eigenvalue_distance(a.A, b.A) for a, b in pairs])),
        "parameter_error": float(np.mean([parameter_error(a, b) for a, b in pairs])),
        "subspace_angle_rad": float(np.mean([subspace_angle(a, b) for a, b in pairs])),
    }
