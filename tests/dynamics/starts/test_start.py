import numpy as np
import pytest

from spikeline.artifacts import seed_stream
from spikeline.config.molds import EMSettings, FitSettings, MomentSettings, StartSettings
from spikeline.dynamics.scores.matching import match_components
from spikeline.dynamics.simulated.generator import random_system, simulate_mixture
from spikeline.dynamics.starts.start import make_start
from spikeline.dynamics.systems import markov_parameters
from spikeline.dynamics.trajectories import Trajectories
from tests.dynamics.mixtures import three_component_data


@pytest.mark.parametrize("decomposition", ["smd", "rtpm"])
def test_three_components_are_found(decomposition):
    true, data = three_component_data(2, 1000, 60)
    settings = FitSettings(start=StartSettings(decomposition=decomposition))
    start = make_start(data, 3, 2, settings, 0)
    assert start.method == "tensor"
    assert match_components(true, start.mixture.responses(6)).markov_error < 0.1


def test_the_published_moments_are_a_choice():
    true, data = three_component_data(2, 2000, 240)
    settings = FitSettings(moments=MomentSettings(estimator="stein", stein_every_lags=True, stein_halves=True))
    published = make_start(data, 3, 2, settings, 0)
    ours = make_start(data, 3, 2, FitSettings(), 0)
    errors = [match_components(true, start.mixture.responses(6)).markov_error for start in (published, ours)]
    assert errors[1] < errors[0] < 1


def test_without_feedthrough_lag_zero_is_zero():
    draw = seed_stream(1, "test-start")
    systems = [random_system(2, 2, 2, draw, feedthrough=False) for _ in range(2)]
    data = simulate_mixture(systems, np.array([0.4, 0.6]), 800, 60, draw)
    start = make_start(data, 2, 2, FitSettings(em=EMSettings(feedthrough=False)), 0)
    assert not start.mixture.stacked("D").any()
    true = np.stack([markov_parameters(system, 6) for system in systems])
    assert match_components(true, start.mixture.responses(6)).markov_error < 0.1


@pytest.mark.parametrize("method", ["tensor"])
def test_units_and_mixing_of_inputs_change_systems_by_no_more_than_that(method):
    draw = seed_stream(3, "test-start")
    systems = [random_system(2, 2, 2, draw) for _ in range(2)]
    data = simulate_mixture(systems, np.array([0.4, 0.6]), 400, 40, draw)
    mixing, size = np.array([[30.0, 5.0], [-2.0, 0.1]]), 1e3
    other = Trajectories(data.inputs @ mixing.T, size * data.outputs, data.lengths)
    settings = FitSettings(start=StartSettings(method=method))
    first, second = (make_start(trajectories, 2, 2, settings, 0).mixture for trajectories in (data, other))
    np.testing.assert_allclose(second.responses(20) @ mixing / size, first.responses(20), atol=1e-9)
    np.testing.assert_allclose(second.weights, first.weights, rtol=1e-9)
    np.testing.assert_allclose(second.stacked("R") / size**2, first.stacked("R"), rtol=1e-9, atol=1e-12)
    first_noise, second_noise = (np.linalg.eigvalsh(mixture.stacked("Q")) for mixture in (first, second))
    np.testing.assert_allclose(second_noise / size, first_noise, rtol=1e-9)


def test_a_start_is_the_same_again():
    _, data = three_component_data(2, 200, 40)
    first, second = (make_start(data, 3, 2, FitSettings(), 5) for _ in range(2))
    for name in "ABCDQRS":
        np.testing.assert_array_equal(first.mixture.stacked(name), second.mixture.stacked(name))
