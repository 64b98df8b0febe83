import numpy as np
import pytest

from spikeline.artifacts import seed_stream
from spikeline.config.molds import EMSettings, FitSettings, MomentSettings, StartSettings
from spikeline.dynamics.scores.matching import match_components
from spikeline.dynamics.simulated.generator import random_system, simulate_mixture
from spikeline.dynamics.starts import start as start_module
from spikeline.dynamics.starts.start import make_start
from spikeline.dynamics.systems import markov_parameters
from spikeline.dynamics.trajectories import Trajectories
from spikeline.errors import ConfigError, DataError, NumericalError
from tests.dynamics.mixtures import WEIGHTS, three_component_data, three_systems

MOMENTS = StartSettings(regress_anew=False, fall_back=False)  # systems of the moments' responses, as published


@pytest.mark.parametrize("decomposition", ["smd", "rtpm"])
def test_three_components_are_found(decomposition):
    true, data = three_component_data(2, 1000, 60)
    settings = FitSettings(start=StartSettings(decomposition=decomposition, regress_anew=False))
    start = make_start(data, 3, 2, settings, 0)
    assert start.method == "tensor"
    assert match_components(true, start.mixture.responses(6)).markov_error < 0.1


def test_the_published_moments_are_a_choice():
    true, data = three_component_data(2, 2000, 240)
    stein = MomentSettings(estimator="stein", stein_every_lags=True, stein_halves=True)
    published = make_start(data, 3, 2, FitSettings(moments=stein, start=MOMENTS), 0)
    ours = make_start(data, 3, 2, FitSettings(start=MOMENTS), 0)
    errors = [match_components(true, start.mixture.responses(6)).markov_error for start in (published, ours)]
    assert errors[1] < errors[0] < 1


def test_inputs_that_are_not_gaussian_are_in_the_warnings_of_stein():
    draw = seed_stream(7, "test-start")
    inputs = draw.choice([-1.0, 1.0], size=(400, 60, 1))  # of excess kurtosis -2
    data = simulate_mixture(three_systems(2), WEIGHTS, 400, 60, draw, inputs)
    stein, ustat = (
        make_start(data, 3, 2, FitSettings(moments=MomentSettings(estimator=estimator)), 0)
        for estimator in ("stein", "ustat")
    )
    assert any("excess kurtosis of -2" in warning for warning in stein.warnings)
    assert not ustat.warnings


@pytest.mark.parametrize("start_settings", [MOMENTS, StartSettings()])
def test_without_feedthrough_lag_zero_is_zero(start_settings):
    draw = seed_stream(1, "test-start")
    systems = [random_system(2, 2, 2, draw, feedthrough=False) for _ in range(2)]
    data = simulate_mixture(systems, np.array([0.4, 0.6]), 800, 60, draw)
    start = make_start(data, 2, 2, FitSettings(em=EMSettings(feedthrough=False), start=start_settings), 0)
    assert not start.mixture.stacked("D").any()
    true = np.stack([markov_parameters(system, 6) for system in systems])
    assert match_components(true, start.mixture.responses(6)).markov_error < 0.1


@pytest.mark.parametrize("method", ["moments", "tensor", "fir_kmeans", "random"])
def test_units_and_mixing_of_inputs_change_systems_by_no_more_than_that(method):
    draw = seed_stream(3, "test-start")
    systems = [random_system(2, 2, 2, draw) for _ in range(2)]
    data = simulate_mixture(systems, np.array([0.4, 0.6]), 400, 40, draw)
    mixing, size = np.array([[30.0, 5.0], [-2.0, 0.1]]), 1e3
    other = Trajectories(data.inputs @ mixing.T, size * data.outputs, data.lengths)
    settings = FitSettings(start=MOMENTS if method == "moments" else StartSettings(method=method))
    if method == "random":  # its systems are drawn in white inputs, of which any rotation is as good
        mixing = np.diag([30.0, 0.1])
        data = Trajectories(_uncorrelated(data.inputs), data.outputs, data.lengths)
        other = Trajectories(data.inputs @ mixing, size * data.outputs, data.lengths)
    first, second = (make_start(trajectories, 2, 2, settings, 0).mixture for trajectories in (data, other))
    np.testing.assert_allclose(second.responses(20) @ mixing / size, first.responses(20), atol=1e-9)
    np.testing.assert_allclose(second.weights, first.weights, rtol=1e-9)
    np.testing.assert_allclose(second.stacked("R") / size**2, first.stacked("R"), rtol=1e-9, atol=1e-12)
    first_noise, second_noise = (np.linalg.eigvalsh(mixture.stacked("Q")) for mixture in (first, second))
    np.testing.assert_allclose(second_noise / size, first_noise, rtol=1e-9)


def _uncorrelated(inputs: np.ndarray) -> np.ndarray:
    flat = inputs.reshape(-1, inputs.shape[2])
    return inputs @ np.linalg.inv(np.linalg.cholesky(flat.T @ flat)).T


@pytest.mark.parametrize("method", ["tensor", "fir_kmeans", "random"])
def test_a_start_is_the_same_again(method):
    _, data = three_component_data(2, 200, 40)
    settings = FitSettings(start=StartSettings(method=method))
    first, second = (make_start(data, 3, 2, settings, 5) for _ in range(2))
    assert first.method == method
    for name in "ABCDQRS":
        np.testing.assert_array_equal(first.mixture.stacked(name), second.mixture.stacked(name))


def test_unequal_lengths_and_whatever_lies_beyond_them():
    true, data = three_component_data(2, 600, 80)
    lengths = np.where(np.arange(600) % 2, 80, 45)
    inputs, outputs = data.inputs.copy(), data.outputs.copy()
    inputs[::2, 45:], outputs[::2, 45:] = np.nan, np.nan
    for begin in (MOMENTS, StartSettings(method="tensor"), StartSettings(method="fir_kmeans")):
        start = make_start(Trajectories(inputs, outputs, lengths), 3, 2, FitSettings(start=begin), 0)
        assert start.method == begin.method
        assert match_components(true, start.mixture.responses(6)).markov_error < 0.1


def test_gaps_leave_the_moments_what_they_are():
    true, data = three_component_data(2, 1000, 80)
    observed = seed_stream(0, "test-gaps").uniform(size=data.outputs.shape) > 0.2
    gaps = Trajectories(data.inputs, np.where(observed, data.outputs, np.nan), data.lengths, observed=observed)
    start = make_start(gaps, 3, 2, FitSettings(start=MOMENTS), 0)
    assert start.method == "tensor"
    assert match_components(true, start.mixture.responses(6)).markov_error < 0.1


def _with_common_inputs(offset: float, locked: float) -> tuple[np.ndarray, Trajectories]:
    systems, draw = three_systems(2), seed_stream(4, "test-start")
    inputs = draw.normal(size=(1000, 80, 1)) + locked * draw.normal(size=(1, 80, 1)) + offset
    true = np.stack([markov_parameters(system, 6) for system in systems])
    return true, simulate_mixture(systems, WEIGHTS, 1000, 80, draw, inputs)


def test_offsets_and_a_trial_locked_part_leave_the_moments_what_they_are():
    true, data = _with_common_inputs(0.5, 0.7)
    start = make_start(data, 3, 2, FitSettings(start=MOMENTS), 0)
    assert start.method == "tensor" and start.notes["trial_locked_removed"]
    assert 0.2 < start.notes["trial_locked_share"] < 0.5 > start.notes["removed_input_power"]
    assert match_components(true, start.mixture.responses(6)).markov_error < 0.15


def test_inputs_that_are_mostly_common_are_in_the_warnings():
    _, data = _with_common_inputs(5, 2)
    assert any(
        "of the inputs' power is their mean" in text for text in make_start(data, 3, 2, FitSettings(), 0).warnings
    )


def test_a_component_too_many_is_in_the_warnings_and_nowhere_else(recwarn):
    _, data = three_component_data(2, 400, 60)
    start = make_start(data, 6, 2, FitSettings(), 0)
    assert any("component 6 does not stand out" in warning for warning in start.warnings)
    assert not recwarn.list
    assert not make_start(data, 3, 2, FitSettings(), 0).warnings


def test_weights_that_do_not_sum_to_one_are_in_the_warnings():
    _, data = three_component_data(1, 400, 60)  # two of the three are nearly the same
    start = make_start(data, 3, 2, FitSettings(), 0)
    assert start.notes["raw_weight_sum"] > 2
    assert any("weights have the sum" in warning for warning in start.warnings)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_groups_that_are_regressed_anew_have_a_fraction_of_the_error(seed):
    """Also where two of the three are so alike that moments do not tell them apart (seed 1)."""
    true, data = three_component_data(seed, 400, 60)
    moments, anew = (make_start(data, 3, 2, FitSettings(start=begin), 0) for begin in (MOMENTS, StartSettings()))
    errors = [match_components(true, start.mixture.responses(6)).markov_error for start in (moments, anew)]
    assert errors[1] < 0.02 < errors[0] / 2
    assert "moved_share" in anew.notes and "moved_share" not in moments.notes
    np.testing.assert_allclose(np.sort(anew.mixture.weights), np.sort(np.bincount(data.labels) / 400), atol=0.01)


def _same_in_every_trial() -> Trajectories:
    _, data = three_component_data(2, 60, 60)
    return Trajectories(np.repeat(data.inputs[:1], 60, axis=0), data.outputs, data.lengths)


def _too_short() -> Trajectories:
    return three_component_data(2, 60, 15)[1]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (_same_in_every_trial(), "input 0 is the same in each of 60 trajectories"),
        (_too_short(), "trajectories of 15 steps at most, for responses over 6 lags"),
    ],
)
def test_where_moments_cannot_be_had_trajectories_are_clustered_and_the_start_says_so(data, message):
    start = make_start(data, 3, 2, FitSettings(), 0)
    assert start.method == "fir_kmeans" and start.notes["fell_back"] == message
    assert sum(message in warning for warning in start.warnings) == 1
    with pytest.raises(DataError, match=message):
        make_start(data, 3, 2, FitSettings(start=StartSettings(fall_back=False)), 0)


def test_moments_that_cannot_be_taken_apart_are_one_more_reason(monkeypatch):
    def never(*_: object, **__: object) -> None:
        raise NumericalError("matrices that no rotation makes diagonal", "a common basis", "take more trajectories")

    monkeypatch.setattr(start_module, "tensor_responses", never)
    _, data = three_component_data(2, 60, 60)
    start = make_start(data, 3, 2, FitSettings(), 0)
    assert start.method == "fir_kmeans" and start.notes["fell_back"] == "matrices that no rotation makes diagonal"
    with pytest.raises(NumericalError, match="no rotation"):
        make_start(data, 3, 2, FitSettings(start=StartSettings(fall_back=False)), 0)


def test_the_longest_usable_lags_are_named():
    strict = StartSettings(fall_back=False)
    data = three_component_data(2, 400, 17)[1]
    with pytest.raises(DataError, match=r"moments\.lags to 5 or less"):
        make_start(data, 3, 2, FitSettings(start=strict), 0)
    assert make_start(data, 3, 2, FitSettings(start=strict, moments=MomentSettings(lags=5)), 0).method == "tensor"
    without = EMSettings(feedthrough=False)
    with pytest.raises(DataError, match="17 steps at most, for responses over 7 lags\n  expected: 19 steps") as caught:
        make_start(data, 3, 2, FitSettings(start=strict, em=without, moments=MomentSettings(lags=7)), 0)
    assert "moments.lags to 6 or less" in caught.value.remedy
    longest = FitSettings(start=strict, em=without, moments=MomentSettings(lags=6))
    assert make_start(data, 3, 2, longest, 0).method == "tensor"
    with pytest.raises(DataError, match="for responses over 40 lags"):
        make_start(data, 3, 2, FitSettings(start=strict, moments=MomentSettings(lags=40, estimator="stein")), 0)


def test_what_was_asked_for_is_checked_against_the_data():
    _, data = three_component_data(2, 20, 40)
    tight = FitSettings(moments=MomentSettings(lags=3))
    wide = Trajectories(data.inputs, np.repeat(data.outputs, 2, axis=2), data.lengths)
    stein = FitSettings(moments=MomentSettings(estimator="stein"))
    for trajectories, K, n, settings, kind, message in (
        (data, 0, 2, FitSettings(), DataError, "n_components is 0"),
        (data, 3, 0, FitSettings(), DataError, "n_states is 0"),
        (data, 21, 2, FitSettings(), DataError, "20 trajectories for 21 components"),
        (data, 4, 1, tight, DataError, "4 components of responses of 3 numbers"),
        (data, 2, 2, tight, ConfigError, "moments.lags is 3 for 2 states"),
        (wide, 2, 2, stein, ConfigError, "stein for 2 outputs"),
    ):
        with pytest.raises(kind, match=message):
            make_start(trajectories, K, n, settings, 0)


@pytest.mark.parametrize("method", ["tensor", "fir_kmeans", "random"])
def test_constant_or_missing_outputs_are_named(method):
    _, data = three_component_data(2, 20, 40)
    settings = FitSettings(start=StartSettings(method=method))
    outputs = np.concatenate([data.outputs, np.full_like(data.outputs, 1e9 + 0.1)], axis=2)
    with pytest.raises(DataError, match="output 1 is constant"):
        make_start(Trajectories(data.inputs, outputs, data.lengths), 2, 2, settings, 0)
    observed = np.broadcast_to([True, False], outputs.shape).copy()
    with pytest.raises(DataError, match="output 1 is missing everywhere"):
        make_start(Trajectories(data.inputs, outputs, data.lengths, observed=observed), 2, 2, settings, 0)
