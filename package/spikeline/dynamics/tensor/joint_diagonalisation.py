"""One rotation that makes several symmetric matrices as diagonal as they can be together."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from spikeline.errors import NumericalError

__all__ = ["joint_diagonaliser"]

_STILL = 1e-8  # convergence is quadratic: a sweep of angles below it leaves nothing to the next
_MOST_SWEEPS = 200


def joint_diagonaliser(matrices: Float[np.ndarray, "J K K"]) -> Float[np.ndarray, "K K"]:
    """The orthogonal V for which the V' M V have the least sum of squares off their diagonals, by Jacobi rotations.

    Each plane (a, b) is turned by the best angle, which is closed-form (Cardoso and Souloumiac 1996), until none moves.

    Parameters
    ----------
    matrices
        Symmetric.

    Raises
    ------
    NumericalError
        If values are not finite, or the rotations do not end.
    """
    if not np.isfinite(matrices).all():
        raise NumericalError(
            "matrices to diagonalise hold values that are not finite",
            "finite ones",
            "check the moments they are made of",
        )
    turned, K = np.array(matrices, np.float64), matrices.shape[1]
    V = np.eye(K)
    for _ in range(_MOST_SWEEPS):
        largest = 0.0
        for a in range(K - 1):
            for b in range(a + 1, K):
                h = np.stack([turned[:, a, a] - turned[:, b, b], turned[:, a, b] + turned[:, b, a]])
                G = h @ h.T
                apart, cross = G[0, 0] - G[1, 1], G[0, 1] + G[1, 0]
                angle = 0.5 * np.arctan2(cross, apart + np.hypot(apart, cross))
                largest = max(largest, abs(angle))
                rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
                plane = [a, b]
                turned[:, :, plane] = turned[:, :, plane] @ rotation
                turned[:, plane, :] = rotation.T @ turned[:, plane, :]
                V[:, plane] = V[:, plane] @ rotation
        if largest <= _STILL:
            return V
    raise NumericalError(
        f"angles of {largest:.1e} are still turned after {_MOST_SWEEPS} sweeps",
        "rotations that come to an end",
        "check the moments; matrices with nothing in common have no joint directions",
    )
