"""The second moment's K directions, scaled so that components become orthonormal."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from spikeline.errors import DataError

__all__ = ["Whitening", "whitened_directions"]

_LEAST_SHARE = 1e-8


@dataclass(frozen=True)
class Whitening:
    """W with W' M2 W = I, and its way back.

    Parameters
    ----------
    forward
        W.
    back
        The pseudo-inverse of W', so that ``back @ forward.T`` projects on the K directions.
    eigenvalues
        All of the second moment, falling: how many stand out of the noise is how many components there are.
    """

    forward: Float[np.ndarray, "d K"]
    back: Float[np.ndarray, "d K"]
    eigenvalues: Float[np.ndarray, " d"]


def whitened_directions(second: Float[np.ndarray, "d d"], n_components: int) -> Whitening:
    """Whiten the second moment in its K largest directions.

    Estimates of a moment have negative eigenvalues by chance alone, about as large as the positive ones of chance: a
    K-th eigenvalue that is no larger than the most negative one is noise, and a warning says so.

    Parameters
    ----------
    second
        Symmetric but for rounding.
    n_components
        K, at most d.

    Raises
    ------
    DataError
        If K exceeds d, or the moment has no positive direction.
    """
    if n_components > len(second):
        raise DataError(
            f"{n_components} components of responses of {len(second)} numbers",
            f"at most {len(second)} components",
            "take more lags, or fewer components",
        )
    values, vectors = np.linalg.eigh((second + second.T) / 2)
    values, vectors = values[::-1], vectors[:, ::-1]
    if not values[0] > 0:
        raise DataError(
            f"the second moment's largest eigenvalue is {values[0]:.3g}",
            "a positive one",
            "check that the outputs depend on the inputs, or take more trajectories",
        )
    noise = max(0.0, -float(values[-1]))
    if values[n_components - 1] <= noise:
        warnings.warn(
            f"component {n_components} does not stand out: eigenvalue {values[n_components - 1]:.3g}, and chance alone "
            f"makes {noise:.3g}; take fewer components, or more data",
            stacklevel=2,
        )
    kept = np.maximum(values[:n_components], _LEAST_SHARE * values[0])
    directions = vectors[:, :n_components]
    return Whitening(directions / np.sqrt(kept), directions * np.sqrt(kept), values)
