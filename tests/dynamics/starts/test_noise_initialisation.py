"""Noise of residuals against exact autocovariances, a general minimiser, and simulated residuals of known noise."""

import numpy as np
import pytest
from scipy.optimize import minimize

from spikeline.artifacts import seed_stream
from spikeline.dynamics.simulated.generator import random_system, simulate_mixture
from spikeline.dynamics.starts.autocovariances import autocovariances
from spikeline.dynamics.starts.ho_kalman import Realisation, realise
from spikeline.dynamics.starts.noise_initialisation import (
    with_covariance_noise,
    with_fixed_noise,
    with_noise,
    with_noise_from_residuals,
)
from spikeline.dynamics.starts.noise_of_autocovariances import noise_of_autocovariances
from spikeline.dynamics.systems import LinearSystem, markov_parameters
from spikeline.dynamics.trajectories import Trajectories


def _stationary(A: np.ndarray, Q: np.ndarray) -> np.ndarray:
    P = np.zeros_like(Q)
    for _ in range(500):
        P = A @ P @ A.T + Q
    return P


def _gammas(A: np.ndarray, C: np.ndarray, Q: np.ndarray, R: np.ndarray) -> list[np.ndarray]:
    P = _stationary(A, Q)
    return [C @ np.linalg.matrix_power(A, lag) @ P @ C.T + (R if lag == 0 else 0) for lag in range(5)]


def _positive(draw: np.random.Generator, n: int) -> np.ndarray:
    root = draw.normal(size=(n, n))
    return root @ root.T


def test_exact_autocovariances_are_met_to_one_percent():
    draw = seed_stream(0, "test-noise")
    system = random_system(2, 1, 2, draw)
    gammas = _gammas(system.A, system.C, _positive(draw, 2), 0.3 * _positive(draw, 2))
    Q, R = noise_of_autocovariances(system.A, system.C, gammas)
    for one, other in zip(_gammas(system.A, system.C, Q, R), gammas, strict=True):
        np.testing.assert_allclose(one, other, atol=0.01 * np.abs(gammas[0]).max())


def test_no_other_covariances_are_nearer_to_noisy_autocovariances():
    draw = seed_stream(1, "test-noise")
    system = random_system(2, 1, 2, draw)
    gammas = [gamma + 0.3 * draw.normal(size=(2, 2)) for gamma in _gammas(system.A, system.C, np.eye(2), np.eye(2))]
    gammas[0] = (gammas[0] + gammas[0].T) / 2

    def apart(Q: np.ndarray, R: np.ndarray) -> float:
        made = _gammas(system.A, system.C, Q, R)
        return sum(float(((one - other) ** 2).sum()) for one, other in zip(made, gammas, strict=True))

    def of_roots(roots: np.ndarray) -> float:
        Q, R = roots.reshape(2, 2, 2)
        return apart(Q @ Q.T, R @ R.T)

    Q, R = noise_of_autocovariances(system.A, system.C, gammas)
    assert np.linalg.eigvalsh(Q)[0] > -1e-12 and np.linalg.eigvalsh(R)[0] > -1e-12
    least = min(minimize(of_roots, draw.normal(size=8)).fun for _ in range(2))
    assert apart(Q, R) <= least * (1 + 1e-3)


def test_autocovariances_are_means_over_what_is_known():
    draw = seed_stream(2, "test-noise")
    values, known = draw.normal(size=(3, 7, 2)), draw.uniform(size=(3, 7, 2)) > 0.3
    values = np.where(known, values, 0.0)
    for lag, gamma in enumerate(autocovariances(values, known, 3)):
        for a in range(2):
            for b in range(2):
                pairs = [
                    values[i, t + lag, a] * values[i, t, b]
                    for i in range(3)
                    for t in range(7 - lag)
                    if known[i, t + lag, a] and known[i, t, b]
                ]
                assert gamma[a, b] == pytest.approx(np.mean(pairs))


def _two() -> tuple[list[LinearSystem], list[Realisation], Trajectories]:
    """Systems in balanced coordinates, as realisations and with noise, and trajectories of them."""
    draw = seed_stream(3, "test-noise")
    responses = [markov_parameters(random_system(2, 1, 2, draw), 12) for _ in range(2)]
    realisations = [realise(response, 2) for response in responses]
    noise = (0.05 * np.eye(2), 0.1 * np.eye(2), np.zeros(2), 0.05 * np.eye(2))
    systems = [LinearSystem(made.A, made.B, made.C, made.D, *noise) for made in realisations]
    return systems, realisations, simulate_mixture(systems, np.array([0.5, 0.5]), 200, 100, draw)


def test_residuals_tell_the_noise_that_made_them():
    systems, realisations, data = _two()
    for system, true in zip(with_noise_from_residuals(realisations, data, inflated=False), systems, strict=True):
        np.testing.assert_allclose(system.R, true.R, atol=0.03)
        np.testing.assert_allclose(
            system.C @ _stationary(system.A, system.Q) @ system.C.T,
            true.C @ _stationary(true.A, true.Q) @ true.C.T,
            atol=0.03,
        )


def test_inflated_noise_is_larger_by_what_it_says():
    _, realisations, data = _two()
    plain, inflated = (with_noise(realisations, data, name) for name in ("residuals", "residuals_inflated"))
    for one, other in zip(plain, inflated, strict=True):
        more = 0.3 * max(np.trace(one.Q) / 2, 0.1)
        np.testing.assert_allclose(other.Q, one.Q + more * np.eye(2))
        np.testing.assert_array_equal(other.R, one.R)
        np.testing.assert_array_equal(other.S, 0.3 * np.eye(2))
        np.testing.assert_allclose(one.S, max(np.trace(one.Q) / 2, 1e-3) * np.eye(2))


def test_the_simple_variants():
    systems, realisations, data = _two()
    for system, true in zip(with_covariance_noise(realisations, data), systems, strict=True):
        seen = system.C @ _stationary(system.A, system.Q) @ system.C.T
        total = true.C @ _stationary(true.A, true.Q) @ true.C.T + true.R
        np.testing.assert_allclose(system.R, total / 2, rtol=0.15, atol=0.01)
        assert np.trace(seen) == pytest.approx(np.trace(system.R))
        np.testing.assert_allclose(system.Q, system.Q[0, 0] * np.eye(2))
    for system in with_fixed_noise(realisations, data):
        np.testing.assert_array_equal(system.Q, 0.1 * np.eye(2))
        np.testing.assert_allclose(system.R, 0.1 * np.diag(data.outputs.var(axis=(0, 1))))


@pytest.mark.parametrize("variant", ["residuals_inflated", "residuals", "residual_covariance", "fixed"])
def test_outputs_without_noise_and_realisations_without_trajectories_have_noise_still(variant):
    systems, realisations, _ = _two()
    draw = seed_stream(4, "test-noise")
    quiet = [
        LinearSystem(s.A, s.B, s.C, s.D, 1e-30 * np.eye(2), 1e-30 * np.eye(2), np.zeros(2), 1e-30 * np.eye(2))
        for s in systems
    ]
    data = simulate_mixture(quiet, np.array([1.0, 0.0]), 10, 40, draw)
    for system in with_noise(realisations, data, variant):
        assert all(np.linalg.eigvalsh(matrix)[0] > 0 for matrix in (system.Q, system.R, system.S))
