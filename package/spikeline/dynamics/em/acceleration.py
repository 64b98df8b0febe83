"""SQUAREM (Varadhan and Roland, Scandinavian Journal of Statistics 2008): a longer step from two steps of EM.

With r the first step and v the second less the first, in coordinates without bounds, the next point is

    theta - 2 a r + a^2 v,        a = - |r| / |v|, at most -1 (there it is the second step itself).

Whether it is taken is for the likelihood to decide; see `fit_mixture_em`.
"""

from __future__ import annotations

from dataclasses import fields

import numpy as np
from jaxtyping import Float

from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.systems import LinearSystem

__all__ = ["extrapolated"]

_MATRICES = tuple(field.name for field in fields(LinearSystem))
_COVARIANCES = ("Q", "R", "S")
_LARGEST_LOGARITHM = 50.0


def extrapolated(first: Mixture, second: Mixture, third: Mixture) -> Mixture:
    """Where two steps of EM, from the first to the third mixture, seem to lead.

    Zeros stay zeros, and what is equal in all components stays equal. Covariances may come out below their floors.
    """
    points = [_coordinates(mixture) for mixture in (first, second, third)]
    steps = {name: points[1][name] - points[0][name] for name in points[0]}
    turns = {name: points[2][name] - points[1][name] - steps[name] for name in points[0]}
    length, turn = (np.sqrt(sum(float((part**2).sum()) for part in parts.values())) for parts in (steps, turns))
    a = -max(length / turn, 1.0) if turn > 0 else -1.0
    return _mixture({name: points[0][name] - 2 * a * steps[name] + a**2 * turns[name] for name in points[0]})


def _coordinates(mixture: Mixture) -> dict[str, Float[np.ndarray, "K ..."]]:
    """Matrices as they are, covariances as Cholesky factors with the logarithm of the diagonal, weights' logarithms."""
    result = {name: mixture.stacked(name) for name in _MATRICES}
    for name in _COVARIANCES:
        root = np.linalg.cholesky(result[name])
        diagonal = np.arange(root.shape[1])
        root[:, diagonal, diagonal] = np.log(root[:, diagonal, diagonal])
        result[name] = root
    return result | {"weights": np.log(mixture.weights)}


def _mixture(point: dict[str, Float[np.ndarray, "K ..."]]) -> Mixture:
    stacks = dict(point)
    for name in _COVARIANCES:
        root = stacks[name].copy()
        diagonal = np.arange(root.shape[1])
        logarithms = np.clip(root[:, diagonal, diagonal], -_LARGEST_LOGARITHM, _LARGEST_LOGARITHM)
        root[:, diagonal, diagonal] = np.exp(logarithms)
        stacks[name] = root @ root.transpose(0, 2, 1)
    logarithms = stacks.pop("weights")
    weights = np.exp(logarithms - logarithms.max())
    systems = (LinearSystem(**{name: stacks[name][k] for name in _MATRICES}) for k in range(len(weights)))
    return Mixture(tuple(systems), weights / weights.sum())
