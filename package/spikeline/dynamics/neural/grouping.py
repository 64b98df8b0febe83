"""Names of groups that a reader can follow: components in the order of their directions, other groupings alike."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float, Int64

from spikeline.dynamics.fitted import FittedMolds
from spikeline.dynamics.mixture import Mixture

__all__ = ["in_order_of_direction", "named_alike"]


def in_order_of_direction(
    fit: FittedMolds, labels: Int64[np.ndarray, " N"], directions_deg: Float[np.ndarray, " N"]
) -> FittedMolds:
    """The fit with components sorted by the mean direction of their trials; those without trials come last.

    Parameters
    ----------
    fit
        Of any order.
    labels
        Component of each trial.
    directions_deg
        Of each trial.
    """
    angle = np.exp(1j * np.radians(directions_deg))
    places = []
    for k in range(fit.mixture.n_components):
        own = angle[labels == k]
        places.append(np.degrees(np.angle(own.sum())) % 360.0 if len(own) else np.inf)
    order = np.argsort(places, kind="stable")
    mixture = Mixture(tuple(fit.mixture.systems[k] for k in order), fit.mixture.weights[order])
    return replace(fit, mixture=mixture, responsibilities=fit.responsibilities[:, order])


def named_alike(labels: Int64[np.ndarray, " N"], reference: Int64[np.ndarray, " N"]) -> Int64[np.ndarray, " N"]:
    """Labels renamed so that as many trials as possible have that of the reference; further groups get spare ones."""
    from scipy.optimize import linear_sum_assignment

    size = int(max(labels.max(), reference.max())) + 1
    counts = np.zeros((size, size))
    np.add.at(counts, (labels, reference), 1)
    rows, names = linear_sum_assignment(-counts)
    return names[np.argsort(rows)][labels].astype(np.int64)
