"""Systems from trajectories that are clustered by their own impulse responses: for any inputs, and for short trials."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64

from spikeline.dynamics.notes import Notes
from spikeline.dynamics.starts.clusters import clusters
from spikeline.dynamics.starts.ho_kalman import Realisation
from spikeline.dynamics.starts.regressed_groups import regressed_groups, short_enough
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
) -> tuple[list[Realisation], Int64[np.ndarray, " N"]]:
    """Cluster the regressions of single trajectories, then see `regressed_groups`.

    Parameters
    ----------
    trajectories
        With inputs and outputs of about unit variance.
    n_components, n_states
        K and n.
    lags
        Of the responses that are clustered, lag 0 included; fewer where trajectories are short.
    seed
        Root seed.
    notes
        What was found is written there.
    feedthrough
        Whether lag 0 is estimated.

    Returns
    -------
    tuple
        Systems, and which of them each trajectory belongs to.

    Raises
    ------
    DataError
        If inputs are zero, trajectories are too short for n states, or there are too few of them.
    """
    first_lag = 0 if feedthrough else 1
    if not trajectories.inputs[trajectories.inside()].any():
        raise DataError("inputs that are zero at all steps", "inputs that vary", "give none: inputs of shape (N, T, 0)")
    short = short_enough(trajectories, n_states, lags)
    regressions = trajectory_regressions(trajectories, short - first_lag, first_lag)
    labels = clusters(regressions, n_components, seed, notes)
    notes["fir_lags"], notes["fir_ridge"] = short, regressions.ridge
    return regressed_groups(trajectories, labels, n_components, n_states, lags, first_lag)
