"""One scalar filter over inputs and outputs that makes the inputs white: the responses stay what they are.

A filter that multiplies every input and every output by the same numbers commutes with a linear system, so that the
filtered outputs are the same system's response to the filtered inputs, once the filter has run in.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from spikeline.dynamics.moments.unit_scale import unit_scale
from spikeline.dynamics.trajectories import Trajectories
from spikeline.errors import DataError

__all__ = ["filtered", "whitening_filter"]


def whitening_filter(trajectories: Trajectories, most_lags: int) -> Float[np.ndarray, " order"]:
    """Coefficients a of the autoregression u[t] = sum_k a[k - 1] u[t - k] + innovation, one set for all inputs.

    Least squares over all trajectories; of several inputs the sum of squares, once they are of unit covariance. The
    order, 1 to ``most_lags``, has the least BIC, on the samples that the longest order leaves.

    Parameters
    ----------
    trajectories
        With inputs of mean zero.
    most_lags
        Largest order.

    Raises
    ------
    DataError
        If no trajectory is longer than the largest order.
    """
    inputs = np.where(trajectories.inside()[..., None], trajectories.inputs, 0.0) @ unit_scale(trajectories).inputs.T
    steps, m = inputs.shape[1:]
    longest = int(trajectories.lengths.max())
    if longest <= most_lags:
        raise DataError(
            f"trajectories of {longest} steps at most for a filter of {most_lags} lags",
            f"at least one of {most_lags + 1} steps",
            "lower prefilter.most_lags",
        )
    inside = trajectories.inside()[:, most_lags:]
    lagged = [inputs[:, most_lags - lag : steps - lag][inside].ravel() for lag in range(most_lags + 1)]
    products = np.array([[one @ other for other in lagged] for one in lagged])
    numbers = int(inside.sum()) * m
    best, least = np.zeros(0), np.inf
    for order in range(1, most_lags + 1):
        coefficients = np.linalg.lstsq(products[1 : order + 1, 1 : order + 1], products[1 : order + 1, 0])[0]
        left = (products[0, 0] - coefficients @ products[1 : order + 1, 0]) / numbers
        criterion = numbers * np.log(max(float(left), np.finfo(float).tiny)) + order * np.log(numbers)
        if criterion < least:
            best, least = coefficients, criterion
    return best


def filtered(trajectories: Trajectories, coefficients: Float[np.ndarray, " order"]) -> Trajectories:
    """Inputs and outputs less what the coefficients predict of them; the first steps, as many as the order, are gone.

    Parameters
    ----------
    trajectories
        Those that are no longer than the order are left out.
    coefficients
        Of `whitening_filter`. A filtered output that a missing one enters is missing.
    """
    order = len(coefficients)
    part = trajectories[trajectories.lengths > order]
    known = part.known()
    inputs = part.inputs[:, order:].copy()
    outputs = np.where(known, part.outputs, 0.0)
    made, observed = outputs[:, order:].copy(), known[:, order:].copy()
    steps = outputs.shape[1]
    for lag, coefficient in enumerate(coefficients, start=1):
        inputs -= coefficient * part.inputs[:, order - lag : steps - lag]
        made -= coefficient * outputs[:, order - lag : steps - lag]
        observed &= known[:, order - lag : steps - lag]
    return Trajectories(inputs, made, part.lengths - order, part.labels, None if part.observed is None else observed)
