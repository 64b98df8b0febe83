"""Every trial by itself: the response that it alone gives, and groups of trials by these responses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int64

from spikeline.dynamics.moments.unit_scale import unit_scale
from spikeline.dynamics.notes import Notes
from spikeline.dynamics.starts.clusters import clusters
from spikeline.dynamics.starts.trajectory_regressions import trajectory_regressions
from spikeline.dynamics.trajectories import Trajectories

__all__ = ["SingleTrials", "single_trial_groups"]


@dataclass(frozen=True)
class SingleTrials:
    """Trials by their own responses.

    Parameters
    ----------
    labels
        Group of each trial.
    points
        The first two principal components of what responses of single trials differ by, in standard deviations of all
        differences together.
    explained
        Share of the differences' variance along each.
    """

    labels: Int64[np.ndarray, " N"]
    points: Float[np.ndarray, "N 2"]
    explained: Float[np.ndarray, " 2"]


def single_trial_groups(trajectories: Trajectories, n_components: int, lags: int, seed: int) -> SingleTrials:
    """Regress each trial on its own inputs, shrunk towards the response of all trials; K-means of what they differ by.

    A linear system of each trial by itself has far more numbers than a trial can tell: the finite response to its
    inputs is what can be had of it.

    Parameters
    ----------
    trajectories
        Trials.
    n_components
        Groups.
    lags
        Of the responses, lag 0 included; at most half of the longest trial.
    seed
        Root seed of K-means.

    Raises
    ------
    DataError
        If trials are too short, or fewer than groups.
    """
    scaled = unit_scale(trajectories).scaled(trajectories)
    regressions = trajectory_regressions(scaled, max(1, min(lags, int(scaled.lengths.max()) // 2)))
    features = regressions.differences().reshape(len(trajectories), -1)
    left, values, _ = np.linalg.svd(features - features.mean(axis=0), full_matrices=False)
    size = max(float(np.sqrt((values**2).sum() / max(1, len(features) - 1))), np.finfo(float).tiny)
    labels = clusters(regressions, n_components, seed, Notes())
    share = values**2 / max(float((values**2).sum()), np.finfo(float).tiny)
    return SingleTrials(labels, (left * values)[:, :2] / size, share[:2])
