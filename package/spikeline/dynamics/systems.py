"""One linear dynamical system: its matrices, and what of it does not depend on the choice of coordinates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from spikeline.errors import DataError

__all__ = ["LinearSystem", "markov_parameters", "spectral_radius"]


@dataclass(frozen=True)
class LinearSystem:
    """x[t+1] = A x[t] + B u[t] + w[t], y[t] = C x[t] + D u[t] + v[t], with w ~ N(0, Q), v ~ N(0, R), x[0] ~ N(mu, S).

    Parameters
    ----------
    A, B, C, D
        Of n states, m inputs and q outputs: (n, n), (n, m), (q, n), (q, m).
    Q, R
        Covariances of the noise of states (n, n) and outputs (q, q).
    mu, S
        Mean (n,) and covariance (n, n) of the first state.

    Raises
    ------
    DataError
        If the shapes do not fit together, or a value is not finite.
    """

    A: Float[np.ndarray, "n n"]
    B: Float[np.ndarray, "n m"]
    C: Float[np.ndarray, "q n"]
    D: Float[np.ndarray, "q m"]
    Q: Float[np.ndarray, "n n"]
    R: Float[np.ndarray, "q q"]
    mu: Float[np.ndarray, " n"]
    S: Float[np.ndarray, "n n"]

    def __post_init__(self) -> None:
        n, m, q = self.A.shape[0], self.B.shape[-1], self.C.shape[0]
        expected = {
            "A": (n, n),
            "B": (n, m),
            "C": (q, n),
            "D": (q, m),
            "Q": (n, n),
            "R": (q, q),
            "mu": (n,),
            "S": (n, n),
        }
        for name, shape in expected.items():
            matrix = getattr(self, name)
            if matrix.shape != shape or not np.isfinite(matrix).all():
                raise DataError(
                    f"{name} has shape {matrix.shape}{'' if np.isfinite(matrix).all() else ' and values not finite'}",
                    f"finite values of shape {shape}, for {n} states, {m} inputs and {q} outputs",
                    "make all matrices of one system",
                )


def markov_parameters(system: LinearSystem, lags: int) -> Float[np.ndarray, "lags q m"]:
    """The impulse response g_0 = D, g_j = C A^(j-1) B: the same for all coordinates of the state.

    2n + 1 of them determine a system of n states.
    """
    response = np.empty((lags, *system.D.shape))
    state = system.B
    for lag in range(lags):
        response[lag] = system.D if lag == 0 else system.C @ state
        if lag > 0:
            state = system.A @ state
    return response


def spectral_radius(matrix: Float[np.ndarray, "n n"]) -> float:
    """Largest absolute value of an eigenvalue; below 1 the system forgets its past."""
    return float(np.abs(np.linalg.eigvals(matrix)).max(initial=0.0))
