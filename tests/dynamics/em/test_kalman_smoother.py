"""The smoother against the joint Gaussian of all states and outputs, written out."""

import numpy as np
import pytest

from spikeline.artifacts import seed_stream
from spikeline.dynamics.em.kalman_smoother import smooth
from spikeline.dynamics.simulated.generator import simulate_mixture
from spikeline.dynamics.systems import LinearSystem
from tests.dynamics.em.joint_gaussian import joint_gaussian
from tests.dynamics.em.mixtures import system_of


def _system(seed: int, n: int, m: int, q: int) -> LinearSystem:
    return system_of(seed_stream(seed, "test-smoother"), n, m, q)


@pytest.mark.parametrize(("n", "m", "q"), [(2, 2, 2), (3, 1, 2), (1, 2, 3)])
def test_as_the_joint_gaussian_says(n, m, q):
    system, T = _system(n, n, m, q), 6
    data = simulate_mixture([system], np.ones(1), 4, T, seed_stream(9, "test-smoother"))
    made = smooth(system, data.inputs, data.outputs)
    for i in range(4):
        mean, cov = joint_gaussian(system, data.inputs[i])
        states, seen = slice(0, T * n), slice(T * n, None)
        error = data.outputs[i].ravel() - mean[seen]
        weight = np.linalg.solve(cov[seen, seen], cov[seen, states]).T
        _, determinant = np.linalg.slogdet(cov[seen, seen])
        expected = -0.5 * (error @ np.linalg.solve(cov[seen, seen], error) + determinant + T * q * np.log(2 * np.pi))
        assert made.log_likelihood[i] == pytest.approx(expected, rel=1e-12, abs=1e-12)
        np.testing.assert_allclose(made.means[i].ravel(), mean[states] + weight @ error, atol=1e-11)
        left = (cov[states, states] - weight @ cov[seen, states]).reshape(T, n, T, n)
        for t in range(T):
            np.testing.assert_allclose(made.covariances[t], left[t, :, t], atol=1e-11)
            if t + 1 < T:
                np.testing.assert_allclose(made.next_covariances[t], left[t + 1, :, t], atol=1e-11)


def test_one_step_is_enough():
    system = _system(5, 2, 1, 1)
    data = simulate_mixture([system], np.ones(1), 3, 1, seed_stream(8, "test-smoother"))
    made = smooth(system, data.inputs, data.outputs)
    assert made.next_covariances.shape == (0, 2, 2) and np.isfinite(made.log_likelihood).all()


def test_likelihood_does_not_depend_on_coordinates():
    system = _system(6, 3, 2, 2)
    T = seed_stream(7, "test-smoother").normal(size=(3, 3))
    back = np.linalg.inv(T)
    turned = LinearSystem(
        T @ system.A @ back, T @ system.B, system.C @ back, system.D,
        T @ system.Q @ T.T, system.R, T @ system.mu, T @ system.S @ T.T,
    )  # fmt: skip
    data = simulate_mixture([system], np.ones(1), 5, 40, seed_stream(6, "test-smoother"))
    first, second = (smooth(s, data.inputs, data.outputs) for s in (system, turned))
    np.testing.assert_allclose(first.log_likelihood, second.log_likelihood, rtol=1e-10)
    np.testing.assert_allclose(first.means @ T.T, second.means, atol=1e-9)
