"""Noise covariances of a system from the autocovariances of what it leaves of the outputs."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

__all__ = ["at_least", "noise_of_autocovariances"]

_STEPS = 500


def noise_of_autocovariances(
    A: Float[np.ndarray, "n n"], C: Float[np.ndarray, "q n"], gammas: list[Float[np.ndarray, "q q"]]
) -> tuple[Float[np.ndarray, "n n"], Float[np.ndarray, "q q"]]:
    """Q and R, none with a negative eigenvalue, whose autocovariances are nearest in squares.

    They are linear in both, because the states' covariance is the sum of A^i Q A^i'. Projected gradients, accelerated
    (Beck and Teboulle 2009).

    Parameters
    ----------
    A, C
        Of a system that forgets: the spectral radius of A is below 1.
    gammas
        Gamma_0 = C P C' + R and Gamma_j = C A^j P C', with P the states' covariance.
    """
    n, q = len(A), len(C)
    # with columns stacked, vec(X Y Z') = (Z kron X) vec(Y)
    seen, power, rows = np.linalg.inv(np.eye(n * n) - np.kron(A, A)), np.eye(n), []
    for _ in gammas:
        rows.append(np.kron(C, C @ power) @ seen)
        power = A @ power
    design, target = np.concatenate(rows), np.concatenate([gamma.T.ravel() for gamma in gammas])
    step = 1 / (np.linalg.norm(design, 2) ** 2 + 1)
    Q, R = np.zeros((n, n)), np.zeros((q, q))
    ahead, pace = (Q, R), 1.0
    for _ in range(_STEPS):
        left = design @ ahead[0].ravel() - target
        left[: q * q] += ahead[1].ravel()
        next_Q = at_least(ahead[0] - step * (design.T @ left).reshape(n, n), 0.0)
        next_R = at_least(ahead[1] - step * left[: q * q].reshape(q, q), 0.0)
        next_pace = (1 + np.sqrt(1 + 4 * pace**2)) / 2
        ratio = (pace - 1) / next_pace
        ahead = (next_Q + ratio * (next_Q - Q), next_R + ratio * (next_R - R))
        Q, R, pace = next_Q, next_R, next_pace
    return Q, R


def at_least(matrix: Float[np.ndarray, "n n"], floor: float) -> Float[np.ndarray, "n n"]:
    """The nearest symmetric matrix without an eigenvalue below a floor."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    return (vectors * np.maximum(values, floor)) @ vectors.T
