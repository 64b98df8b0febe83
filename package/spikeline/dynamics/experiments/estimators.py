"""Estimators of moments by name, for pieces of a task's trajectories."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from spikeline.dynamics.moments.moment_sums import MomentSum
from spikeline.dynamics.moments.stein_moments import stein_second_moment, stein_third_moment
from spikeline.dynamics.moments.ustat_moments import ustat_second_moment, ustat_third_moment
from spikeline.dynamics.trajectories import Trajectories

__all__ = ["second_moment", "third_moment"]


def second_moment(estimator: str, piece: Trajectories, lags: int, first_lag: int, first: int = 0) -> MomentSum:
    """Sum of second moments over a piece.

    Parameters
    ----------
    estimator
        ``ustat``, ``stein``, or ``stein_published``: every lags-th sample, and the trajectories of even number only.
    piece
        With white inputs of unit variance.
    lags
        How much of the response is estimated: without lag 0 where ``first_lag`` is 1.
    first_lag
        0, or 1 where outputs have no feedthrough.
    first
        Number of the piece's first trajectory within its task.
    """
    if estimator == "ustat":
        return ustat_second_moment(piece, lags, first_lag)
    if estimator == "stein":
        return stein_second_moment(piece, lags, first_lag=first_lag)
    return stein_second_moment(_every_other(piece, first, 0), lags, first_lag=first_lag, stride=lags)


def third_moment(
    estimator: str,
    piece: Trajectories,
    lags: int,
    whitening: Float[np.ndarray, "d K"],
    first_lag: int,
    first: int = 0,
) -> MomentSum:
    """Sum of third moments over a piece, whitened; of ``stein_published`` over trajectories of odd number.

    Parameters
    ----------
    estimator, piece, lags, first_lag, first
        As for `second_moment`.
    whitening
        W of the second moment.
    """
    if estimator == "ustat":
        return ustat_third_moment(piece, lags, whitening, first_lag)
    if estimator == "stein":
        return stein_third_moment(piece, lags, whitening, first_lag=first_lag)
    return stein_third_moment(_every_other(piece, first, 1), lags, whitening, first_lag=first_lag, stride=lags)


def _every_other(piece: Trajectories, first: int, parity: int) -> Trajectories:
    return piece[(first + parity) % 2 :: 2]
