"""More outputs than states: as many numbers as there are states say all of the states that the outputs say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.linalg import solve_triangular

from spikeline.dynamics.systems import LinearSystem
from spikeline.errors import NumericalError

__all__ = ["OutputReduction", "output_reduction"]


@dataclass(frozen=True)
class OutputReduction:
    """From q outputs y and m inputs u to n numbers z.

    With V V' = R and V^-1 C = U Z, U with orthonormal columns, z = U' V^-1 (y - D u) is Z x and noise of unit covariance.
    The rest of V^-1 (y - D u), which is orthogonal to U, says nothing of the states: the log-density of y given x is
    that of z, less half of: the rest's square, log det R and (q - n) log 2 pi.

    Parameters
    ----------
    forward
        z = forward (y, u).
    seen
        Z.
    rest
        The rest's square is (y, u)' rest (y, u).
    whole
        Likewise the square of all of V^-1 (y - D u).
    half_determinant
        Half of log det R.
    """

    forward: Float[np.ndarray, "n q_plus_m"]
    seen: Float[np.ndarray, "n n"]
    rest: Float[np.ndarray, "q_plus_m q_plus_m"]
    whole: Float[np.ndarray, "q_plus_m q_plus_m"]
    half_determinant: float


def output_reduction(system: LinearSystem) -> OutputReduction:
    """The reduction of a system with at least as many outputs as states.

    Raises
    ------
    NumericalError
        If the covariance of the outputs' noise is not positive definite.
    """
    try:
        root = np.linalg.cholesky((system.R + system.R.T) / 2)
    except np.linalg.LinAlgError as error:
        raise NumericalError(
            "the covariance R of the outputs' noise is not positive definite",
            "a positive definite one",
            "raise its smallest eigenvalue",
        ) from error
    whitened = solve_triangular(root, np.concatenate([np.eye(len(root)), -system.D], axis=1), lower=True)
    basis, seen = np.linalg.qr(solve_triangular(root, system.C, lower=True))
    forward = basis.T @ whitened
    rest = whitened - basis @ forward
    return OutputReduction(forward, seen, rest.T @ rest, whitened.T @ whitened, float(np.log(np.diag(root)).sum()))
