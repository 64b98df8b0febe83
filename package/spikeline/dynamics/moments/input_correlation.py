"""How far inputs are from white: correlations over time, and how large they are by chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from spikeline.dynamics.moments.unit_scale import unit_scale
from spikeline.dynamics.trajectories import Trajectories

__all__ = ["InputCorrelation", "input_correlation"]


@dataclass(frozen=True)
class InputCorrelation:
    """Correlations of inputs with earlier ones.

    Parameters
    ----------
    largest
        Over lags, the largest correlation of any two combinations of the inputs, at most 1: where the steps that have
        a lag between them are busier than all steps are on average, it is a share of what is possible there.
    lag
        Where it is, steps.
    probability
        That white inputs are as correlated by chance. With W u of unit covariance and its correlation R_l over S_l
        samples at lag l, sum_l S_l |R_l|^2 is then chi-square of m^2 numbers per lag (Ljung and Box's test without
        their correction for few samples, over trajectories).
    """

    largest: float
    lag: int
    probability: float


def input_correlation(trajectories: Trajectories, lags: int) -> InputCorrelation:
    """Correlations over 1 to ``lags`` steps, pooled over trajectories.

    Parameters
    ----------
    trajectories
        With inputs of mean zero.
    lags
        At most; fewer where trajectories are shorter.
    """
    from scipy.stats import chi2

    inputs = np.where(trajectories.inside()[..., None], trajectories.inputs, 0.0) @ unit_scale(trajectories).inputs.T
    steps, m = inputs.shape[1:]
    largest, where, statistic, numbers = 0.0, 0, 0.0, 0
    for lag in range(1, min(lags, int(trajectories.lengths.max()) - 1) + 1):
        samples = int(np.maximum(trajectories.lengths - lag, 0).sum())
        ahead, behind = inputs[:, lag:].reshape(-1, m), inputs[:, : steps - lag].reshape(-1, m)
        correlation = ahead.T @ behind / samples
        size = float(np.linalg.norm(correlation, 2)) / _largest_possible(ahead, behind, samples) if m else 0.0
        if size > largest:
            largest, where = size, lag
        statistic += samples * float((correlation**2).sum())
        numbers += m**2
    return InputCorrelation(largest, where, float(chi2.sf(statistic, numbers)) if numbers else 1.0)


def _largest_possible(ahead: Float[np.ndarray, "S m"], behind: Float[np.ndarray, "S m"], samples: int) -> float:
    """By Cauchy and Schwarz, but no less than 1, what it is for inputs of unit covariance."""
    powers = [float(np.linalg.norm(part.T @ part, 2)) / samples for part in (ahead, behind)]
    return max(1.0, float(np.sqrt(powers[0] * powers[1])))
