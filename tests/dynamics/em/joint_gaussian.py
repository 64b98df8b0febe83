"""The joint Gaussian of all states and outputs of a trajectory, written out: what smoothers are compared with."""

from __future__ import annotations

import numpy as np

from spikeline.dynamics.systems import LinearSystem


def joint_gaussian(system: LinearSystem, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of (x[0], ..., x[T-1], y[0], ..., y[T-1])."""
    T, n, q = len(inputs), len(system.A), len(system.R)
    # x = F (mu + e0, Bu + w, ...), with F the lower block triangle of powers of A
    F = np.zeros((T * n, T * n))
    for i in range(T):
        for j in range(i + 1):
            F[i * n : (i + 1) * n, j * n : (j + 1) * n] = np.linalg.matrix_power(system.A, i - j)
    pushed = np.concatenate([system.mu, *(system.B @ u for u in inputs[:-1])])
    noise = np.zeros((T * n, T * n))
    noise[:n, :n] = system.S
    for i in range(1, T):
        noise[i * n : (i + 1) * n, i * n : (i + 1) * n] = system.Q
    Cs, Rs = np.kron(np.eye(T), system.C), np.kron(np.eye(T), system.R)
    mean_x, cov_x = F @ pushed, F @ noise @ F.T
    mean_y = Cs @ mean_x + np.concatenate([system.D @ u for u in inputs])
    cross = cov_x @ Cs.T
    assert Cs.shape == (T * q, T * n)
    return np.concatenate([mean_x, mean_y]), np.block([[cov_x, cross], [cross.T, Cs @ cross + Rs]])
