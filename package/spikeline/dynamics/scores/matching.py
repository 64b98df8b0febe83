"""How near estimated components are to true ones, whatever their order and coordinates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int64

from spikeline.errors import DataError

__all__ = ["ComponentMatch", "match_components"]


@dataclass(frozen=True)
class ComponentMatch:
    """Estimated components beside true ones.

    Parameters
    ----------
    estimate_of
        Index of the estimate for each true component.
    errors
        Frobenius norm of the difference of impulse responses, for each true component.
    """

    estimate_of: Int64[np.ndarray, " K"]
    errors: Float[np.ndarray, " K"]

    @property
    def markov_error(self) -> float:
        """Mean over components."""
        return float(self.errors.mean())


def match_components(
    true: Float[np.ndarray, "K lags q m"], estimated: Float[np.ndarray, "K lags q m"]
) -> ComponentMatch:
    """The pairing with the least sum of errors (Hungarian algorithm).

    Parameters
    ----------
    true, estimated
        Impulse responses over the same lags.

    Raises
    ------
    DataError
        If the shapes differ.
    """
    from scipy.optimize import linear_sum_assignment

    if true.shape != estimated.shape:
        raise DataError(
            f"estimates of shape {estimated.shape}", f"the shape of the truth, {true.shape}", "compare equal lags and K"
        )
    apart = np.linalg.norm((true[:, None] - estimated[None]).reshape(len(true), len(true), -1), axis=2)
    rows, columns = linear_sum_assignment(apart)
    return ComponentMatch(columns.astype(np.int64), apart[rows, columns])
