"""Whether other trials of the same day would have given the same groups."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int64

from spikeline.artifacts import seed_stream
from spikeline.config.molds import FitSettings
from spikeline.dynamics.fit import fit_molds
from spikeline.dynamics.trajectories import Trajectories

__all__ = ["labels_from_subsets", "posterior_entropy"]


def labels_from_subsets(
    train: Trajectories,
    everything: Trajectories,
    n_components: int,
    n_states: int,
    settings: FitSettings,
    *,
    subsets: int,
    share: float,
    seed: int,
) -> Int64[np.ndarray, "subsets N"]:
    """Labels of all trials under mixtures that were each fitted to a random part of the training trials.

    Parameters
    ----------
    train
        Training trials.
    everything
        Trials to be labelled.
    n_components, n_states, settings
        Of the fits.
    subsets, share
        How many parts, and how much of the training trials each has.
    seed
        Root seed.
    """
    labels = np.empty((subsets, len(everything)), np.int64)
    size = max(n_components, round(share * len(train)))
    for subset in range(subsets):
        draw = seed_stream(seed, "molds-neural-subsets", str(subset))
        chosen = np.sort(draw.choice(len(train), size, replace=False))
        fit = fit_molds(train[chosen], n_components, n_states, settings, seed=seed, progress=False)
        labels[subset] = fit.predict(everything)
    return labels


def posterior_entropy(posterior: Float[np.ndarray, "N K"]) -> Float[np.ndarray, " N"]:
    """Of each trial, bits: 0 where its component is certain, log2 K where nothing is known."""
    shares = np.where(posterior > 0, posterior, 1.0)
    return -(shares * np.log2(shares)).sum(axis=1)
