"""The expected log-likelihood that an M-step makes largest, term by term."""

from __future__ import annotations

import numpy as np

from spikeline.dynamics.em.kalman_smoother import SmoothedStates
from spikeline.dynamics.systems import LinearSystem


def expected_log_likelihood(
    system: LinearSystem, states: SmoothedStates, inputs: np.ndarray, outputs: np.ndarray, weights: np.ndarray
) -> float:
    """Expectation of log p(x, y | u) over the smoothed states."""
    total = 0.0
    for i, weight in enumerate(weights):
        for t in range(inputs.shape[1]):
            m, V = states.means[i, t], states.covariances[t]
            error = outputs[i, t] - system.C @ m - system.D @ inputs[i, t]
            spread = np.outer(error, error) + system.C @ V @ system.C.T
            total -= 0.5 * weight * (np.trace(np.linalg.solve(system.R, spread)) + np.linalg.slogdet(system.R)[1])
            if t == 0:
                off = m - system.mu
                total -= 0.5 * weight * np.trace(np.linalg.solve(system.S, np.outer(off, off) + V))
                total -= 0.5 * weight * np.linalg.slogdet(system.S)[1]
                continue
            before, lag = states.covariances[t - 1], states.next_covariances[t - 1]
            off = m - system.A @ states.means[i, t - 1] - system.B @ inputs[i, t - 1]
            spread = np.outer(off, off) + V + system.A @ before @ system.A.T - system.A @ lag.T - lag @ system.A.T
            total -= 0.5 * weight * (np.trace(np.linalg.solve(system.Q, spread)) + np.linalg.slogdet(system.Q)[1])
    return float(total)
