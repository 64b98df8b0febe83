"""Groups of trajectories, regressed anew until none moves, and realised: how a first guess becomes systems."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int64

from spikeline.dynamics.starts.clusters import settled
from spikeline.dynamics.starts.ho_kalman import Realisation, realise
from spikeline.dynamics.starts.trajectory_regressions import trajectory_regressions
from spikeline.dynamics.trajectories import Trajectories
from spikeline.errors import DataError

__all__ = ["nearest_responses", "regressed_groups", "short_enough"]


def short_enough(trajectories: Trajectories, n_states: int, lags: int) -> int:
    """As many lags as asked for, or half of the longest trajectory, but no less than n states need.

    Parameters
    ----------
    trajectories
        To be regressed.
    n_states
        n, whose response needs 2 n + 1 lags.
    lags
        Asked for, lag 0 included.

    Raises
    ------
    DataError
        If trajectories are too short for n states.
    """
    fewest, longest = 2 * n_states + 1, int(trajectories.lengths.max())
    if longest < fewest:
        raise DataError(
            f"trajectories of {longest} steps at most for {n_states} states",
            f"at least {fewest} steps",
            "take fewer states, or longer trajectories",
        )
    return max(fewest, min(lags, longest // 2))


def nearest_responses(
    trajectories: Trajectories, markov: Float[np.ndarray, "K lags q m"], first_lag: int
) -> Int64[np.ndarray, " N"]:
    """Which response leaves the least of each trajectory's outputs.

    Parameters
    ----------
    trajectories
        Some may be too short for the lags; they go to the first.
    markov
        Lag 0 included.
    first_lag
        0, or 1 where outputs have no feedthrough.
    """
    K, lags, q, _ = markov.shape
    flat = markov[:, first_lag:].transpose(0, 2, 1, 3).reshape(K, q, -1)
    regressions = trajectory_regressions(trajectories, lags - first_lag, first_lag)
    return regressions.squares_left_by(flat).argmin(axis=1)


def regressed_groups(
    trajectories: Trajectories,
    labels: Int64[np.ndarray, " N"],
    n_components: int,
    n_states: int,
    lags: int,
    first_lag: int,
) -> tuple[list[Realisation], Int64[np.ndarray, " N"]]:
    """Regress the outputs of each group on inputs, let trajectories move to the response that suits them, and realise.

    Parameters
    ----------
    trajectories
        With inputs and outputs of about unit variance.
    labels
        First guess of each trajectory's group.
    n_components, n_states
        K and n.
    lags
        Of the responses, lag 0 included. Regressed are twice as many, or half of the longest trajectory: with inputs
        that are correlated over time, what a response has beyond its lags is put into them otherwise.
    first_lag
        0, or 1 where outputs have no feedthrough.

    Returns
    -------
    tuple
        Systems, and which of them each trajectory belongs to.

    Raises
    ------
    DataError
        If trajectories are too short for n states.
    """
    long = short_enough(trajectories, n_states, 2 * lags)
    regressions = trajectory_regressions(trajectories, long - first_lag, first_lag)
    labels = settled(regressions, labels, n_components)
    made = []
    for component in range(n_components):
        flat = regressions.response_of(labels == component)
        markov = flat.reshape(len(flat), long - first_lag, -1).transpose(1, 0, 2)
        nothing = np.zeros((first_lag, *markov.shape[1:]))
        made.append(realise(np.concatenate([nothing, markov]), n_states))
    return made, labels
