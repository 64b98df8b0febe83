"""A mixture as one vector in which every direction may be gone: what extrapolations of EM are made in."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.systems import LinearSystem

__all__ = ["as_mixture", "as_vector"]

_FREE, _COVARIANCES = ("A", "B", "C", "D", "mu"), ("Q", "R", "S")


def as_vector(mixture: Mixture) -> Float[np.ndarray, " P"]:
    """Matrices entry by entry, covariances by their matrix logarithms, weights by their logarithms."""
    parts = []
    for system in mixture.systems:
        parts += [getattr(system, name).ravel() for name in _FREE]
        parts += [_of_eigenvalues(getattr(system, name), np.log).ravel() for name in _COVARIANCES]
    return np.concatenate([*parts, np.log(mixture.weights)])


def as_mixture(vector: Float[np.ndarray, " P"], like: Mixture) -> Mixture:
    """The mixture of a vector; inverse of `as_vector`.

    Parameters
    ----------
    vector
        Finite. Weights are scaled to sum 1.
    like
        A mixture of the same sizes.
    """
    at = 0

    def taken(shape: tuple[int, ...]) -> np.ndarray:
        nonlocal at
        start, at = at, at + int(np.prod(shape))
        return vector[start:at].reshape(shape)

    systems = []
    for system in like.systems:
        matrices = {name: taken(getattr(system, name).shape).copy() for name in _FREE}
        matrices |= {name: _of_eigenvalues(taken(getattr(system, name).shape), np.exp) for name in _COVARIANCES}
        systems.append(LinearSystem(**matrices))
    weights = np.exp(vector[at:] - vector[at:].max())
    return Mixture(tuple(systems), weights / weights.sum())


def _of_eigenvalues(
    symmetric: Float[np.ndarray, "n n"], function: Callable[[np.ndarray], np.ndarray]
) -> Float[np.ndarray, "n n"]:
    values, vectors = np.linalg.eigh((symmetric + symmetric.T) / 2)
    return (vectors * function(values)) @ vectors.T
