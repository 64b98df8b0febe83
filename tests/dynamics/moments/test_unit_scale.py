import numpy as np
import pytest

from spikeline.artifacts import seed_stream
from spikeline.dynamics.em.kalman_smoother import smooth
from spikeline.dynamics.moments.unit_scale import unit_scale
from spikeline.dynamics.simulated.generator import random_system, simulate_mixture
from spikeline.dynamics.systems import markov_parameters
from spikeline.dynamics.trajectories import Trajectories


def test_a_system_of_scaled_trajectories_is_the_system_of_the_trajectories():
    draw = seed_stream(0, "test-scale")
    system = random_system(3, 2, 2, draw)
    data = simulate_mixture([system], np.ones(1), 6, 30, draw)
    other = Trajectories(data.inputs @ np.array([[4.0, 1.0], [0.0, 0.3]]), 50 * data.outputs, data.lengths)
    scale = unit_scale(other)
    scaled = scale.scaled(other)
    flat = scaled.inputs.reshape(-1, 2)
    np.testing.assert_allclose(flat.T @ flat / len(flat), np.eye(2), atol=1e-10)
    assert (scaled.outputs**2).mean() == pytest.approx(1)
    own = scale.undone(system)
    inside = smooth(system, scaled.inputs, scaled.outputs).log_likelihood
    outside = smooth(own, other.inputs, other.outputs).log_likelihood
    np.testing.assert_allclose(outside, inside - 60 * np.log(scale.outputs), rtol=1e-9)
    response = markov_parameters(system, 5)[None]
    np.testing.assert_allclose(scale.responses_undone(response)[0], markov_parameters(own, 5), rtol=1e-9)
    np.testing.assert_allclose(scale.responses_scaled(scale.responses_undone(response)), response, rtol=1e-9)


def test_inputs_that_are_nothing_or_none_are_left_alone():
    outputs = np.full((2, 5, 1), 3.0)
    for inputs in (np.zeros((2, 5, 2)), np.zeros((2, 5, 0))):
        scale = unit_scale(Trajectories(inputs, outputs, np.full(2, 5)))
        np.testing.assert_array_equal(scale.inputs, np.eye(inputs.shape[2]))
        assert scale.outputs == pytest.approx(3)
