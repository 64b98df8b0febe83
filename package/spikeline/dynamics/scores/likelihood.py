"""How likely trajectories are under a mixture that has not seen them."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int64
from scipy.special import logsumexp

from spikeline.dynamics.em.kalman_smoother import smooth
from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.trajectories import Trajectories

__all__ = ["joint_log_likelihoods", "log_likelihood_per_step", "most_likely_components"]


def joint_log_likelihoods(mixture: Mixture, trajectories: Trajectories) -> Float[np.ndarray, "N K"]:
    """log p(component) + log p(outputs | inputs, component), nats.

    Parameters
    ----------
    mixture
        Found or true.
    trajectories
        Without gaps.
    """
    joint = np.empty((len(trajectories), mixture.n_components))
    for length in np.unique(trajectories.lengths):
        own = np.flatnonzero(trajectories.lengths == length)
        inputs, outputs = trajectories.inputs[own, :length], trajectories.outputs[own, :length]
        for k, system in enumerate(mixture.systems):
            joint[own, k] = smooth(system, inputs, outputs).log_likelihood
    with np.errstate(divide="ignore"):  # a component of weight 0 made none of them
        return joint + np.log(mixture.weights)


def log_likelihood_per_step(mixture: Mixture, trajectories: Trajectories) -> float:
    """Log-likelihood of all trajectories over their steps, nats."""
    return float(logsumexp(joint_log_likelihoods(mixture, trajectories), axis=1).sum() / trajectories.lengths.sum())


def most_likely_components(mixture: Mixture, trajectories: Trajectories) -> Int64[np.ndarray, " N"]:
    """The component that each trajectory most likely is of."""
    return joint_log_likelihoods(mixture, trajectories).argmax(axis=1).astype(np.int64)
