"""Ridge regressions of outputs on lagged inputs, of single trajectories and of groups.

A trajectory's response is that of all trajectories together and what it differs by, which ridge regression shrinks to
nothing as far as noise asks for: that ridge has the least generalised cross-validation error over trajectories. The
ridge of a group is a thousandth of its inputs' power. Noise would ask for less; but inputs that are smooth in time can
be predicted from one another, and a regression with less of a ridge makes up, by huge responses that cancel, what the
response has beyond the lags.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from spikeline.dynamics.moments.lagged_inputs import lagged_inputs
from spikeline.dynamics.trajectories import Trajectories
from spikeline.errors import DataError

__all__ = ["TrajectoryRegressions", "trajectory_regressions"]

_VALUES_AT_ONCE = 4_000_000
_GROUP_RIDGE = 1e-3  # for each step
_RIDGES = np.logspace(-3, 4, 29)  # steps of unit inputs
_MOST_VALIDATED = 1000


@dataclass(frozen=True)
class TrajectoryRegressions:
    """Sums over the steps of each trajectory; v are lagged inputs, e outputs less the pooled response's.

    Outputs that are known at the same steps share their products of inputs: O is 1 without missing outputs, else q.

    Parameters
    ----------
    pooled
        The response of all trajectories together.
    vv, ve
        v v', and v e for each output.
    ee
        e e of each output.
    steps
        How many were summed.
    ridge
        What is added to the diagonal of v v' of a single trajectory.
    covariance
        Mean of v v' over all steps.
    """

    pooled: Float[np.ndarray, "q d"]
    vv: Float[np.ndarray, "N O d d"]
    ve: Float[np.ndarray, "N q d"]
    ee: Float[np.ndarray, "N q"]
    steps: Float[np.ndarray, "N O"]
    ridge: float
    covariance: Float[np.ndarray, "d d"]

    def differences(self) -> Float[np.ndarray, "N q d"]:
        """By what each trajectory's response differs from the pooled one.

        Multiplied by the root of the covariance: two are then as far apart as the outputs that they give, on average.
        """
        values, vectors = np.linalg.eigh(self.covariance)
        root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
        return _ridge_solution(self.vv, self.ve, self.ridge) @ root

    def response_of(self, chosen: np.ndarray) -> Float[np.ndarray, "q d"]:
        """The response of a group of trajectories."""
        ridge = _GROUP_RIDGE * self.steps[chosen].sum(axis=0)
        return self.pooled + _ridge_solution(self.vv[chosen].sum(axis=0), self.ve[chosen].sum(axis=0), ridge)

    def squares_left_by(self, responses: Float[np.ndarray, "K q d"]) -> Float[np.ndarray, "N K"]:
        """Of each trajectory's outputs, the sum of squares that each response leaves."""
        left = np.empty((len(self.ve), len(responses)))
        for k, difference in enumerate(responses - self.pooled):
            explained = np.squeeze(self.vv @ difference[None, :, :, None], 3)
            left[:, k] = (self.ee + (difference * (explained - 2 * self.ve)).sum(axis=2)).sum(axis=1)
        return left


def trajectory_regressions(trajectories: Trajectories, lags: int, first_lag: int = 0) -> TrajectoryRegressions:
    """Sum over the steps of each trajectory at which all lagged inputs are there.

    Parameters
    ----------
    trajectories
        With inputs of about unit variance, which the ridges to choose from are made for. Some may be too short for the
        lags; their sums are zero.
    lags
        How many inputs an output is regressed on.
    first_lag
        0, or 1 where outputs have no feedthrough.

    Raises
    ------
    DataError
        If all are too short.
    """
    vv, vy, yy, steps = _sums(trajectories, lags, first_lag)
    if not steps.any():
        raise DataError(
            f"trajectories of {int(trajectories.lengths.max())} steps at most, or without known outputs",
            f"outputs after {lags + first_lag - 1} steps, for responses over {lags + first_lag} lags",
            "take longer trajectories, or fewer states or lags",
        )
    pooled = _ridge_solution(vv.sum(axis=0), vy.sum(axis=0), _GROUP_RIDGE * steps.sum(axis=0))
    ve = vy - np.squeeze(vv @ pooled[None, :, :, None], 3)
    ee = yy - (pooled * (vy + ve)).sum(axis=2)
    ridge = _best_ridge(vv, ve, ee, steps)
    return TrajectoryRegressions(pooled, vv, ve, ee, steps, ridge, vv.sum(axis=(0, 1)) / steps.sum())


def _sums(
    trajectories: Trajectories, lags: int, first_lag: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Of each v v' (N, O, d, d), v y (N, q, d), y y (N, q), and how many steps were summed (N, O)."""
    n, q, d = len(trajectories), trajectories.n_outputs, lags * trajectories.n_inputs
    apart = 1 if trajectories.observed is None else q
    vv, vy, yy, steps = np.zeros((n, apart, d, d)), np.zeros((n, q, d)), np.zeros((n, q)), np.zeros((n, apart))
    start = lags + first_lag - 1
    at_once = max(1, _VALUES_AT_ONCE // max(1, d * trajectories.inputs.shape[1]))
    for first in range(0, n, at_once):
        part, own = trajectories[first : first + at_once], slice(first, first + at_once)
        rows = np.where(part.inside()[:, start:, None], lagged_inputs(part.inputs, lags, first_lag), 0.0)
        known = part.known()[:, start:]
        outputs = np.where(known, part.outputs[:, start:], 0.0)
        vy[own], yy[own] = outputs.transpose(0, 2, 1) @ rows, (outputs**2).sum(axis=1)
        steps[own] = known.sum(axis=1)[:, :apart]
        for output in range(apart):
            vv[own, output] = (rows * known[..., output, None]).transpose(0, 2, 1) @ rows
    return vv, vy, yy, steps


def _ridge_solution(
    vv: Float[np.ndarray, "*N O d d"], vy: Float[np.ndarray, "*N q d"], ridge: float | Float[np.ndarray, " O"]
) -> Float[np.ndarray, "*N q d"]:
    square = vv + np.asarray(ridge)[..., None, None] * np.eye(vv.shape[-1])
    if square.shape[-3] == 1:
        return np.linalg.solve(square[..., 0, :, :], vy.swapaxes(-1, -2)).swapaxes(-1, -2)
    return np.linalg.solve(square, vy[..., None])[..., 0]


def _best_ridge(
    vv: Float[np.ndarray, "N O d d"],
    ve: Float[np.ndarray, "N q d"],
    ee: Float[np.ndarray, "N q"],
    steps: Float[np.ndarray, "N O"],
) -> float:
    """The one with the least generalised cross-validation error, over at most 1000 trajectories.

    With v v' = E diag(l) E' and c = E' v e, the squares left are ee - sum c^2 (l + 2 r) / (l + r)^2, and a regression
    uses sum l / (l + r) degrees of freedom.
    """
    some = slice(None, None, -(-len(vv) // _MOST_VALIDATED))
    values, vectors = np.linalg.eigh(vv[some])
    values = np.maximum(values, 0.0)
    squares = (vectors.swapaxes(-1, -2) @ ve[some][..., None])[..., 0] ** 2
    outputs = ve.shape[1] / vv.shape[1]
    total = outputs * float(steps[some].sum())
    errors = []
    for ridge in _RIDGES:
        left = float(ee[some].sum() - (squares * (values + 2 * ridge) / (values + ridge) ** 2).sum())
        used = outputs * float((values / (values + ridge)).sum())
        errors.append(left / max(1 - used / total, 1e-9) ** 2)
    return float(_RIDGES[int(np.argmin(errors))])
