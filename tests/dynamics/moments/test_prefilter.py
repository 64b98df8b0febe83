"""The filter changes no response, and without it correlated inputs ruin the moments."""

import numpy as np
import pytest
from scipy.signal import lfilter

from spikeline.artifacts import seed_stream
from spikeline.config.molds import FitSettings, PrefilterSettings, StartSettings
from spikeline.dynamics.moments.input_correlation import input_correlation
from spikeline.dynamics.moments.prefilter import filtered, whitening_filter
from spikeline.dynamics.scores.matching import match_components
from spikeline.dynamics.simulated.generator import random_system, simulate_mixture
from spikeline.dynamics.starts.start import make_start
from spikeline.dynamics.systems import markov_parameters
from spikeline.dynamics.trajectories import Trajectories
from spikeline.errors import DataError
from tests.dynamics.mixtures import WEIGHTS, three_systems


def _autoregressive(seed: int, n: int, steps: int, coefficients: list[list[float]]) -> np.ndarray:
    """Inputs u[t] = sum_k a_k u[t - k] + white, of each row of coefficients one; run in over 100 steps."""
    draw = seed_stream(seed, "test-prefilter")
    made = [lfilter([1.0], [1.0, *(-np.array(a))], draw.normal(size=(n, steps + 100)), axis=1) for a in coefficients]
    return np.stack(made, axis=2)[:, 100:]


def _with_outputs(inputs: np.ndarray, seed: int = 0) -> Trajectories:
    """Outputs without any noise: convolutions of the first input with a response."""
    response = seed_stream(seed, "test-response").normal(size=8)
    outputs = lfilter(response, [1.0], inputs[..., :1], axis=1)
    return Trajectories(inputs, outputs, np.full(len(inputs), inputs.shape[1]))


def test_the_autoregression_is_found_and_filtering_leaves_white_inputs():
    data = _with_outputs(_autoregressive(0, 300, 80, [[0.5, 0.3]]))
    found = whitening_filter(data, 4)
    np.testing.assert_allclose(found, [0.5, 0.3], atol=0.02)
    before, after = input_correlation(data, 6), input_correlation(filtered(data, found), 6)
    assert before.largest > 0.6 and before.lag == 1 and before.probability < 1e-12
    assert after.largest < 0.03 and after.probability > 1e-3


def test_the_filter_does_not_depend_on_how_inputs_are_mixed():
    data = _with_outputs(_autoregressive(1, 200, 60, [[0.9], [0.7]]))
    mixed = Trajectories(data.inputs @ np.array([[3.0, 1.0], [0.2, 5.0]]), data.outputs, data.lengths)
    np.testing.assert_allclose(whitening_filter(mixed, 3), whitening_filter(data, 3), rtol=1e-8)


def test_responses_to_filtered_inputs_are_those_to_the_inputs():
    data = _with_outputs(_autoregressive(2, 5, 60, [[0.9]]))
    made = filtered(data, np.array([0.6, -0.3, 0.2]))
    assert made.lengths.tolist() == [57] * 5

    def response(trajectories: Trajectories) -> np.ndarray:
        """Least squares over the eight lags that the true response has, where all of them are there."""
        rows = np.lib.stride_tricks.sliding_window_view(trajectories.inputs[:, :, 0], 8, axis=1)[:, 3:, ::-1]
        outputs = trajectories.outputs[:, 10:, 0]
        return np.linalg.lstsq(rows.reshape(-1, 8), outputs.ravel())[0]

    np.testing.assert_allclose(response(made), response(data), atol=1e-10)


def test_short_trajectories_are_left_out_and_gaps_are_handed_on():
    inputs = np.arange(24.0).reshape(3, 8, 1)
    observed = np.ones((3, 8, 1), bool)
    observed[0, 3] = False
    outputs = np.where(observed, inputs, np.nan)
    data = Trajectories(inputs, outputs, np.array([8, 2, 6]), observed=observed)
    made = filtered(data, np.array([0.5, 0.25]))
    assert made.lengths.tolist() == [6, 4]
    assert made.observed[:, :, 0].tolist() == [[True, False, False, False, True, True], [True] * 4 + [False] * 2]
    np.testing.assert_allclose(made.outputs[1, :4], made.inputs[1, :4])
    np.testing.assert_allclose(made.inputs[0, 0, 0], 2 - 0.5 * 1 - 0.25 * 0)


def test_a_filter_longer_than_the_trajectories_is_named():
    with pytest.raises(DataError, match="trajectories of 4 steps at most for a filter of 4 lags"):
        whitening_filter(_with_outputs(np.ones((3, 4, 1))), 4)


def test_white_inputs_are_correlated_no_more_than_by_chance():
    draw = seed_stream(3, "test-prefilter")
    chances = [input_correlation(_with_outputs(draw.normal(size=(20, 40, 2))), 5).probability for _ in range(100)]
    # uniform on [0, 1], if it is a probability: the largest distance of its distribution from that is Kolmogorov's
    assert np.abs(np.sort(chances) - (np.arange(100) + 0.5) / 100).max() < 0.2


def _errors(seed: int) -> list[float]:
    """Of the start with the filter and without it."""
    systems = three_systems(seed)
    inputs = _autoregressive(seed, 1000, 120, [[0.9]])
    data = simulate_mixture(systems, WEIGHTS, 1000, 120, seed_stream(seed, "test-filtered"), inputs)
    true, errors = np.stack([markov_parameters(system, 6) for system in systems]), []
    for whiten in ("auto", "off"):
        settings = FitSettings(
            prefilter=PrefilterSettings(whiten=whiten), start=StartSettings(fall_back=False, regress_anew=False)
        )
        start = make_start(data, 3, 2, settings, 0)
        errors.append(match_components(true, start.mixture.responses(6)).markov_error)
        assert (start.notes["prefilter_order"] > 0) == (whiten == "auto")
        assert any("correlation of 0.9" in warning for warning in start.warnings) == (whiten == "off")
    return errors


def test_without_the_filter_the_error_is_ten_times_as_large():
    errors = np.median([_errors(seed) for seed in (2, 3, 4)], axis=0)
    assert errors[0] < 0.06  # 0.03 over six seeds as specified, and 1.5 without the filter
    assert errors[1] > 10 * errors[0]


def test_inputs_of_somewhat_different_spectra_are_filtered_together():
    inputs = _autoregressive(4, 800, 100, [[0.85], [0.75]])
    draw = seed_stream(4, "test-several")
    systems = [random_system(2, 2, 2, draw) for _ in range(2)]
    data = simulate_mixture(systems, np.array([0.4, 0.6]), 800, 100, draw, inputs)
    start = make_start(data, 2, 2, FitSettings(start=StartSettings(regress_anew=False)), 0)
    true = np.stack([markov_parameters(system, 6) for system in systems])
    assert start.method == "tensor"
    assert start.notes["input_correlation_filtered"] < 0.15 < 0.8 < start.notes["input_correlation"]
    assert match_components(true, start.mixture.responses(6)).markov_error < 0.15


def test_inputs_that_no_scalar_filter_whitens_are_refused():
    inputs, draw = _autoregressive(5, 200, 60, [[0.95], [-0.8]]), seed_stream(5, "test-several")
    systems = [random_system(2, 2, 2, draw) for _ in range(2)]
    data = simulate_mixture(systems, np.array([0.4, 0.6]), 200, 60, draw, inputs)
    start = make_start(data, 2, 2, FitSettings(), 0)
    assert start.method == "fir_kmeans" and "filtered inputs have a correlation of" in start.notes["fell_back"]
    with pytest.raises(DataError, match="filtered inputs have a correlation of"):
        make_start(data, 2, 2, FitSettings(start=StartSettings(fall_back=False)), 0)
