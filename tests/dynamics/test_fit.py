from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from spikeline.artifacts import verify_tree
from spikeline.config.molds import FitSettings
from spikeline.dynamics import FittedMolds, Mixture, StartWarning, Trajectories, fit_molds
from spikeline.dynamics.scores.matching import match_components
from spikeline.errors import DataError, FormatError
from tests.dynamics.mixtures import three_component_data, three_systems


@pytest.fixture(scope="module")
def fitted() -> tuple[np.ndarray, Trajectories, FittedMolds]:
    true, data = three_component_data(0, 400, 60)
    return true, data, fit_molds(data, 3, 2, seed=5, progress=False)


@pytest.mark.filterwarnings("ignore::spikeline.dynamics.StartWarning")  # what moments alone make of seed 1
@pytest.mark.parametrize("seed", range(6))
def test_the_mixture_is_found(seed):
    true, data = three_component_data(seed, 400, 60)
    fit = fit_molds(data, 3, 2, progress=False)
    assert fit.converged and (np.diff(fit.log_likelihoods) > -1e-8 * data.outputs.size).all()
    assert match_components(true, fit.impulse_responses(6)).markov_error < 0.03
    assert adjusted_rand_score(data.labels, fit.labels) > 0.99


def test_new_trajectories_are_told_apart(fitted):
    _, _, fit = fitted
    _, data = three_component_data(0, 400, 61)
    fresh = data[200:]
    assert adjusted_rand_score(fresh.labels, fit.predict(fresh)) > 0.99
    posterior = fit.posterior(fresh)
    assert np.allclose(posterior.sum(axis=1), 1) and (posterior.argmax(axis=1) == fit.predict(fresh)).all()
    # one step ahead nothing but the noise of a step is left, far ahead everything but the inputs' part
    errors = [np.nanvar(fresh.outputs - fit.forecast(fresh, ahead)) for ahead in (1, 10)]
    assert errors[0] < errors[1] < fresh.outputs.var()


def test_the_posterior_is_what_em_ended_with(fitted):
    _, data, fit = fitted
    np.testing.assert_allclose(fit.posterior(data), fit.responsibilities, atol=1e-9)
    assert fit.log_likelihood(data).sum() == pytest.approx(fit.log_likelihoods[-1])


def test_bic_prefers_the_true_number_of_components(fitted):
    _, data, fit = fitted
    two = fit_molds(data, 2, 2, progress=False)
    assert fit.bayesian_information(data).by_steps < two.bayesian_information(data).by_steps


def test_a_file_gives_the_fit_back(fitted, tmp_path):
    _, data, fit = fitted
    fit.save(tmp_path / "fit.h5")
    back = FittedMolds.load(tmp_path / "fit.h5")
    assert np.array_equal(back.posterior(data), fit.posterior(data))
    assert np.array_equal(back.log_likelihoods, fit.log_likelihoods)
    assert back.settings == fit.settings and back.seed == 5 and back.converged == fit.converged
    assert back.start.method == "tensor" and back.start.notes == fit.start.notes
    assert back.notes == fit.notes
    assert not verify_tree(tmp_path).findings
    (tmp_path / "broken.h5").write_bytes((tmp_path / "fit.h5").read_bytes()[:4000])
    with pytest.raises(FormatError):
        FittedMolds.load(tmp_path / "broken.h5")


def test_the_same_seed_gives_the_same_fit(fitted):
    _, data, fit = fitted
    again = fit_molds(data, 3, 2, seed=5, progress=False)
    assert np.array_equal(again.responsibilities, fit.responsibilities)


def test_a_start_of_the_users(fitted):
    _, data, fit = fitted
    start = Mixture(tuple(three_systems(0)), np.full(3, 1 / 3))
    given = fit_molds(data, 3, 2, start=start, progress=False)
    assert given.start.method == "given"
    assert given.log_likelihoods[-1] == pytest.approx(fit.log_likelihoods[-1], rel=0.01)
    with pytest.raises(DataError, match="3 components and 2 states"):
        fit_molds(data, 2, 2, start=start, progress=False)
    other = Trajectories(np.repeat(data.inputs, 2, axis=2), data.outputs, data.lengths)
    with pytest.raises(DataError, match="2 inputs"):
        fit_molds(other, 3, 2, start=start, progress=False)


@pytest.mark.wrong_arrays
@pytest.mark.parametrize(
    ("K", "n", "seed", "text"),
    [
        (0, 2, 0, "0 components"), (2, 0, 0, "0 states"), (500, 2, 0, "400 trajectories"),
        (2.0, 2, 0, "2.0 components"), (2, "2", 0, "'2' states"), (2, 2, -1, "seed -1"),
    ],
)  # fmt: skip
def test_impossible_sizes_are_errors(fitted, K, n, seed, text):
    with pytest.raises(DataError, match=text):
        fit_molds(fitted[1], K, n, seed=seed, progress=False)


@pytest.mark.wrong_arrays
def test_other_things_than_trajectories_and_settings_are_errors(fitted):
    with pytest.raises(DataError, match="trajectories ndarray"):
        fit_molds(fitted[1].outputs, 2, 2, progress=False)
    with pytest.raises(DataError, match="settings dict"):
        fit_molds(fitted[1], 2, 2, {"em": {}}, progress=False)
    with pytest.raises(DataError, match="0 lags"):
        fitted[2].impulse_responses(0)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_units_of_outputs_change_nothing(fitted, scale):
    _, data, fit = fitted
    other = fit_molds(Trajectories(data.inputs, scale * data.outputs, data.lengths), 3, 2, seed=5, progress=False)
    moved = other.log_likelihoods + data.outputs.size * np.log(scale)
    # extrapolations take other ways in other units, and stop somewhere else within what the tolerance leaves
    assert moved[-1] == pytest.approx(fit.log_likelihoods[-1], abs=2.0)
    np.testing.assert_allclose(other.impulse_responses(6) / scale, fit.impulse_responses(6), atol=3e-3)


def test_a_start_in_small_coordinates_ends_where_others_do(fitted):
    _, data, _ = fitted
    usual = Mixture(tuple(three_systems(0)), np.full(3, 1 / 3))
    small = tuple(replace(s, B=s.B * 1e-3, C=s.C * 1e3, Q=s.Q * 1e-6, S=s.S * 1e-6) for s in usual.systems)
    ends = [
        fit_molds(data, 3, 2, start=start, progress=False).log_likelihoods[-1]
        for start in (usual, Mixture(small, usual.weights))
    ]
    assert ends[1] == pytest.approx(ends[0], abs=2.0)


def test_an_offset_of_outputs_is_named(fitted):
    _, data, _ = fitted
    settings = FitSettings.parse({"em": {"most_iterations": 0}})
    shifted = Trajectories(data.inputs, data.outputs + 5.0, data.lengths)
    with pytest.warns(StartWarning, match="subtract the mean"):
        fit = fit_molds(shifted, 3, 2, settings, progress=False)
    [warning] = fit.start.warnings
    assert "subtract the mean" in warning


def test_another_start_than_was_asked_for_is_warned_of(fitted):
    _, data, _ = fitted
    settings = FitSettings.parse({"em": {"most_iterations": 0}})
    short = Trajectories(data.inputs[:, :10], data.outputs[:, :10], np.full(len(data), 10))
    with pytest.warns(StartWarning, match="EM starts from clusters of their own responses"):
        assert fit_molds(short, 3, 2, settings, progress=False).start.method == "short_runs"


def test_no_trajectories_get_no_components(fitted):
    _, data, fit = fitted
    assert fit.predict(data[:0]).shape == (0,) and fit.posterior(data[:0]).shape == (0, 3)


def test_an_outputs_column_that_has_no_lag_zero(fitted):
    _, data, _ = fitted
    settings = FitSettings.parse({"em": {"feedthrough": False, "most_iterations": 5}})
    fit = fit_molds(data, 3, 2, settings, progress=False)
    assert not fit.mixture.stacked("D").any()
