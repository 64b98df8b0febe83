"""Systems without inputs, from outputs that are clustered by how they follow their own past."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64

from spikeline.dynamics.moments.lagged_inputs import lagged_inputs
from spikeline.dynamics.notes import Notes
from spikeline.dynamics.starts.autocovariances import autocovariances
from spikeline.dynamics.starts.clusters import clusters, settled
from spikeline.dynamics.starts.ho_kalman import Realisation, realise
from spikeline.dynamics.starts.trajectory_regressions import trajectory_regressions
from spikeline.dynamics.trajectories import Trajectories
from spikeline.errors import DataError

__all__ = ["input_free_kmeans"]


def input_free_kmeans(
    trajectories: Trajectories, n_components: int, n_states: int, seed: int, notes: Notes
) -> tuple[list[Realisation], Int64[np.ndarray, " N"]]:
    """Cluster by the regression of outputs on the n before, then realise each cluster's autocovariances.

    The regression is made of a trajectory's lagged autocovariances; clustered themselves, these tell components apart
    far less well, because a trajectory's power varies more than how its outputs follow one another. Of a cluster,
    Gamma_j = C A^(j - 1) (A P C') for j >= 1 is an impulse response, which Ho and Kalman's algorithm realises; of the
    system it gives, A and C are kept.

    Parameters
    ----------
    trajectories
        With outputs of about unit variance; without inputs.
    n_components, n_states
        K and n.
    seed
        Root seed.
    notes
        What was found is written there.

    Returns
    -------
    tuple
        Systems without inputs, and which of them each trajectory belongs to.

    Raises
    ------
    DataError
        If trajectories are too short for n states, or there are too few of them.
    """
    lags, longest = 2 * n_states + 1, int(trajectories.lengths.max())
    if longest < lags + 1:
        raise DataError(
            f"trajectories of {longest} steps at most for {n_states} states",
            f"at least {lags + 1} steps",
            "take fewer states, or longer trajectories",
        )
    regressions = trajectory_regressions(_on_their_past(trajectories, n_states), n_states, 1)
    labels = clusters(regressions, n_components, seed, notes)
    labels = settled(regressions, labels, n_components)
    known = trajectories.known()
    outputs = np.where(known, trajectories.outputs, 0.0)
    made = []
    for component in range(n_components):
        own = labels == component
        found = realise(np.stack(autocovariances(outputs[own], known[own], lags)), n_states)
        no_inputs = np.zeros((n_states, 0)), np.zeros((trajectories.n_outputs, 0))
        made.append(Realisation(found.A, no_inputs[0], found.C, no_inputs[1], found.singular_values, found.shrunk))
    return made, labels


def _on_their_past(trajectories: Trajectories, lags: int) -> Trajectories:
    """Outputs as inputs of themselves; an output counts if it and those it is regressed on are known."""
    known = trajectories.known()
    outputs = np.where(known, trajectories.outputs, 0.0)
    observed = None
    if trajectories.observed is not None:
        observed = np.zeros_like(known)
        observed[:, lags:] = known[:, lags:] & (lagged_inputs(known.astype(float), lags, 1) > 0).all(axis=2)[..., None]
    return Trajectories(outputs, outputs, trajectories.lengths, observed=observed)
