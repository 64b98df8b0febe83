"""Forecasts against the joint Gaussian, conditioned on the past."""

import numpy as np
import pytest
from scipy.special import softmax

from spikeline.artifacts import seed_stream
from spikeline.dynamics.forecast import forecast
from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.simulated.generator import simulate_mixture
from spikeline.dynamics.trajectories import Trajectories
from spikeline.errors import DataError
from tests.dynamics.em.joint_gaussian import joint_gaussian
from tests.dynamics.em.mixtures import any_system

WEIGHTS = np.array([0.3, 0.7])


def _mixture(n: int, m: int, q: int) -> Mixture:
    return Mixture((any_system(1, n, m, q), any_system(2, n, m, q)), WEIGHTS)


def _expected(mixture: Mixture, inputs, outputs, observed, t: int, ahead: int) -> np.ndarray:
    T, q = outputs.shape
    means, evidence = [], []
    for system in mixture.systems:
        mean, cov = joint_gaussian(system, inputs)
        start = T * len(system.A)
        known = [start + s * q + j for s in range(max(0, t - ahead + 1)) for j in range(q) if observed[s, j]]
        wanted = [start + t * q + j for j in range(q)]
        error = np.array([outputs.ravel()[k - start] for k in known]) - mean[known]
        own = cov[np.ix_(known, known)]
        means.append(mean[wanted] + cov[np.ix_(wanted, known)] @ np.linalg.solve(own, error))
        evidence.append(
            -0.5 * (error @ np.linalg.solve(own, error) + np.linalg.slogdet(own)[1] + len(known) * np.log(2 * np.pi))
        )
    return softmax(np.array(evidence) + np.log(mixture.weights)) @ np.stack(means)


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize(("n", "m", "q"), [(2, 1, 2), (1, 2, 3)])
def test_as_the_joint_gaussian_says(n, m, q, gaps):
    mixture, draw = _mixture(n, m, q), seed_stream(3, "test-forecast")
    data = simulate_mixture(list(mixture.systems), WEIGHTS, 3, 6, draw)
    lengths = np.array([6, 4, 6])
    observed = draw.uniform(size=data.outputs.shape) > (0.4 if gaps else -1.0)
    outputs = np.where(observed, data.outputs, np.nan)
    given = Trajectories(data.inputs, outputs, lengths, observed=observed if gaps else None)
    for ahead in (1, 2, 4, 9):
        made = forecast(mixture, given, ahead)
        for i, length in enumerate(lengths):
            assert np.isnan(made[i, length:]).all()
            for t in range(length):
                expected = _expected(mixture, data.inputs[i], data.outputs[i], observed[i], t, ahead)
                np.testing.assert_allclose(made[i, t], expected, atol=1e-10)


def test_nothing_later_is_used():
    mixture = _mixture(2, 1, 2)
    data = simulate_mixture(list(mixture.systems), WEIGHTS, 4, 20, seed_stream(4, "test-forecast"))
    changed = data.outputs.copy()
    changed[:, 12:] += 5.0
    for ahead in (1, 3):
        before, after = (
            forecast(mixture, Trajectories(data.inputs, y, data.lengths), ahead) for y in (data.outputs, changed)
        )
        assert np.array_equal(before[:, : 12 + ahead], after[:, : 12 + ahead])
        assert not np.allclose(before[:, 12 + ahead :], after[:, 12 + ahead :])


def test_a_horizon_of_nothing_and_other_sizes_are_errors():
    mixture = _mixture(2, 1, 2)
    data = simulate_mixture([any_system(5, 2, 2, 2)], np.ones(1), 2, 5, seed_stream(5, "test-forecast"))
    with pytest.raises(DataError, match="0 steps ahead"):
        forecast(mixture, data, 0)
    with pytest.raises(DataError, match="2 inputs and 2 outputs"):
        forecast(mixture, data)
