"""A system of n states from its impulse response."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from spikeline.dynamics.systems import spectral_radius
from spikeline.errors import DataError

__all__ = ["Realisation", "realise"]

_LARGEST_RADIUS = 0.98


@dataclass(frozen=True)
class Realisation:
    """Matrices in balanced coordinates.

    Parameters
    ----------
    A, B, C, D
        Of the system.
    singular_values
        Of the Hankel matrix, falling: a gap after the n-th says that n states are enough.
    shrunk
        Whether A was scaled to a spectral radius of 0.98, because noise had made the system unstable or nearly so.
    """

    A: Float[np.ndarray, "n n"]
    B: Float[np.ndarray, "n m"]
    C: Float[np.ndarray, "q n"]
    D: Float[np.ndarray, "q m"]
    singular_values: Float[np.ndarray, " s"]
    shrunk: bool


def realise(markov: Float[np.ndarray, "lags q m"], n_states: int) -> Realisation:
    """Ho and Kalman's algorithm: factors of the Hankel matrix of g_1, g_2, ..., exact for an exact response.

    Parameters
    ----------
    markov
        g_0 = D, g_1, ...; at least 2n + 1 of them.
    n_states
        n.

    Raises
    ------
    DataError
        If there are too few lags, or values are not finite.
    """
    lags, q, m = markov.shape
    if lags < 2 * n_states + 1:
        raise DataError(
            f"{lags} lags of the impulse response for {n_states} states",
            f"at least {2 * n_states + 1}",
            "take more lags, or fewer states",
        )
    if not np.isfinite(markov).all():
        raise DataError("an impulse response that is not finite", "finite numbers", "check the moments it comes from")
    ahead = lags // 2  # block rows; ahead + behind = lags - 1
    behind = lags - 1 - ahead
    hankel, shifted = (
        np.block([[markov[1 + shift + i + j] for j in range(behind)] for i in range(ahead)]) for shift in (0, 1)
    )
    left, values, right = np.linalg.svd(hankel)
    root = np.sqrt(values[:n_states])
    observability, controllability = left[:, :n_states] * root, root[:, None] * right[:n_states]
    A = np.linalg.pinv(observability) @ shifted @ np.linalg.pinv(controllability)
    radius = spectral_radius(A)
    shrunk = radius > _LARGEST_RADIUS
    if shrunk:
        A *= _LARGEST_RADIUS / radius
    return Realisation(A, controllability[:, :m], observability[:q], markov[0].copy(), values, shrunk)
