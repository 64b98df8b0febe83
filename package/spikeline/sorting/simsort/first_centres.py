"""Where a clustering starts: centres by a rule that draws nothing, so that rounding cannot turn it another way."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float64

__all__ = ["first_centres"]

_FEWEST_IN_PART = 8
_MOST_PARTS = 1000


def first_centres(
    points: Float[np.ndarray, "points dimensions"], count: int
) -> Float64[np.ndarray, "centres dimensions"]:
    """At most ``count`` places that are near all points, the most useful first.

    The points are halved along their longest axis until 8 or, of many, a thousandth is left in a part; of the parts'
    means the one is taken next that most lowers the sum of squared distances to the nearest place taken. Drawn at
    random (k-means++), centres depend on the points' rank, which another device's rounding changes, and with them the
    whole clustering.

    Parameters
    ----------
    points
        In any order.
    count
        At least 1. Fewer are given where the points have fewer different places.
    """
    places = np.array([points[part].mean(axis=0, dtype=np.float64) for part in _parts(points)])
    squared = ((places[:, None] - places[None]) ** 2).sum(axis=-1)
    taken = [int(squared.sum(axis=1).argmin())]
    away = squared[taken[0]].copy()
    while len(taken) < count:
        gain = np.maximum(away[None] - squared, 0).sum(axis=1)
        if not gain.max() > 0:
            break
        taken.append(int(gain.argmax()))
        away = np.minimum(away, squared[taken[-1]])
    return places[taken]


def _parts(points: np.ndarray) -> list[np.ndarray]:
    """Indices of points near each other, in parts of about one size."""
    most = max(_FEWEST_IN_PART, -(-len(points) // _MOST_PARTS))
    waiting, done = [np.arange(len(points))], []
    while waiting:
        own = waiting.pop()
        if len(own) <= most:
            done.append(own)
            continue
        there = points[own].astype(np.float64)
        there -= there.mean(axis=0)
        axis = np.linalg.eigh(there.T @ there)[1][:, -1]
        order = own[np.argsort(there @ (axis * np.sign(axis[np.abs(axis).argmax()])), kind="stable")]
        waiting += [order[: len(order) // 2], order[len(order) // 2 :]]
    return done
