"""Systems from trajectories that are clustered by their own impulse responses: for any inputs, and for short trials."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from spikeline.dynamics.notes import Notes
from spikeline.dynamics.starts.clusters import clusters, settled
from spikeline.dynamics.starts.ho_kalman import Realisation, realise
from spikeline.dynamics.starts.trajectory_regressions import trajectory_regressions
from spikeline.dynamics.trajectories import Trajectories
from spikeline.errors import DataError

__all__ = ["fir_kmeans"]


def fir_kmeans(
    trajectories: Trajectories,
    n_components: int,
    n_states: int,
    lags: int,
    seed: int,
    notes: Notes,
    *,
    feedthrough: bool = True,
) -> tuple[list[Realisation], Float[np.ndarray, " K"]]:
    """Cluster the regressions of single trajectories, regress each cluster anew, and realise.

    Parameters
    ----------
    trajectories
        With inputs and outputs of about unit variance.
    n_components, n_states
        K and n.
    lags
        Of the responses that are clustered, lag 0 included; fewer where trajectories are short. Clusters are regressed
        on twice as many, or on half of the longest trajectory: with inputs that are correlated over time, what a
        response has beyond its lags is put into them otherwise.
    seed
        Root seed.
    notes
        What was found is written there.
    feedthrough
        Whether lag 0 is estimated.

    Returns
    -------
    tuple
        Systems, and the share of trajectories of each.

    Raises
    ------
    DataError
        If trajectories are too short for n states, or there are too few of them.
    """
    first_lag = 0 if feedthrough else 1
    fewest, longest = 2 * n_states + 1, int(trajectories.lengths.max())
    if longest < fewest:
        raise DataError(
            f"trajectories of {longest} steps at most for {n_states} states",
            f"at least {fewest} steps",
            "take fewer states, or longer trajectories",
        )
    short, long = (max(fewest, min(wanted, longest // 2)) for wanted in (lags, 2 * lags))
    regressions = trajectory_regressions(trajectories, short - first_lag, first_lag)
    labels = clusters(regressions, n_components, seed, notes)
    notes["fir_lags"], notes["fir_ridge"] = short, regressions.ridge
    regressions = trajectory_regressions(trajectories, long - first_lag, first_lag)
    labels = settled(regressions, labels, n_components)
    made = []
    for component in range(n_components):
        flat = regressions.response_of(labels == component)
        markov = flat.reshape(len(flat), long - first_lag, -1).transpose(1, 0, 2)
        nothing = np.zeros((first_lag, *markov.shape[1:]))
        made.append(realise(np.concatenate([nothing, markov]), n_states))
    return made, np.bincount(labels, minlength=n_components) / len(labels)
