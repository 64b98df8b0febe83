import numpy as np
import pytest

from spikeline.artifacts import seed_stream
from spikeline.dynamics.starts.random_start import random_start
from spikeline.dynamics.systems import markov_parameters, spectral_radius


@pytest.mark.parametrize("feedthrough", [True, False])
def test_systems_of_unit_energy_and_known_radius(feedthrough):
    mixture = random_start(20, 3, 2, 4, seed_stream(0, "test-random"), feedthrough=feedthrough)
    for system in mixture.systems:
        assert 0.6 - 1e-9 <= spectral_radius(system.A) <= 0.9 + 1e-9
        assert (markov_parameters(system, 300) ** 2).sum() == pytest.approx(1)
        assert system.D.any() == feedthrough
        np.testing.assert_array_equal(system.Q, 0.1 * np.eye(3))
        np.testing.assert_array_equal(system.R, np.eye(4))
        np.testing.assert_array_equal(system.S, np.eye(3))
    np.testing.assert_allclose(mixture.weights, 0.05)
    assert np.ptp([spectral_radius(system.A) for system in mixture.systems]) > 0.1


def test_without_inputs_too():
    mixture = random_start(2, 3, 0, 2, seed_stream(0, "test-random"))
    assert mixture.n_inputs == 0 and mixture.systems[0].C.any()
