import numpy as np
import pytest

from spikeline.artifacts import seed_stream
from spikeline.dynamics.simulated.generator import random_system, simulate_mixture
from spikeline.dynamics.systems import LinearSystem, markov_parameters, spectral_radius
from spikeline.errors import DataError


def test_markov_parameters_are_the_response_to_an_impulse():
    system = random_system(3, 2, 2, seed_stream(1, "test"))
    response = markov_parameters(system, 9)
    for channel in range(2):
        state, inputs = np.zeros(3), np.zeros((9, 2))
        inputs[0, channel] = 1.0
        for step in range(9):
            seen = system.C @ state + system.D @ inputs[step]
            np.testing.assert_allclose(response[step, :, channel], seen, atol=1e-14)
            state = system.A @ state + system.B @ inputs[step]


def test_markov_parameters_do_not_depend_on_coordinates():
    system = random_system(3, 2, 2, seed_stream(2, "test"))
    T = seed_stream(3, "test").normal(size=(3, 3))
    back = np.linalg.inv(T)
    turned = LinearSystem(
        T @ system.A @ back,
        T @ system.B,
        system.C @ back,
        system.D,
        T @ system.Q @ T.T,
        system.R,
        T @ system.mu,
        T @ system.S @ T.T,
    )
    np.testing.assert_allclose(markov_parameters(turned, 8), markov_parameters(system, 8), atol=1e-12)


@pytest.mark.parametrize("feedthrough", [True, False])
def test_random_systems_have_unit_energy_and_a_radius_in_bounds(feedthrough):
    for seed in range(10):
        system = random_system(3, 2, 2, seed_stream(seed, "test"), feedthrough=feedthrough)
        response = markov_parameters(system, 400)
        assert (response**2).sum() == pytest.approx(1.0)
        assert 0.6 <= spectral_radius(system.A) <= 0.9
        assert feedthrough == bool(np.abs(system.D).max() > 0)


def test_simulated_outputs_are_the_convolved_inputs_if_there_is_no_noise():
    system = random_system(2, 1, 1, seed_stream(4, "test"), process_noise=1e-30, observation_noise=1e-30)
    data = simulate_mixture([system], np.ones(1), 3, 30, seed_stream(5, "test"))
    response = markov_parameters(system, 30)[:, 0, 0]
    for i in range(3):
        np.testing.assert_allclose(
            data.outputs[i, :, 0], np.convolve(data.inputs[i, :, 0], response)[:30], rtol=0, atol=1e-12
        )


@pytest.mark.wrong_arrays
def test_a_matrix_that_does_not_fit_is_named():
    with pytest.raises(DataError, match=r"B has shape \(3, 1\)"):
        LinearSystem(
            np.eye(2), np.ones((3, 1)), np.ones((1, 2)), np.ones((1, 1)), np.eye(2), np.eye(1), np.zeros(2), np.eye(2)
        )
    with pytest.raises(DataError, match=r"A has shape .* not finite"):
        LinearSystem(
            np.full((2, 2), np.nan),
            np.ones((2, 1)),
            np.ones((1, 2)),
            np.ones((1, 1)),
            np.eye(2),
            np.eye(1),
            np.zeros(2),
            np.eye(2),
        )
