from dataclasses import replace

import numpy as np
import pytest

from spikeline.artifacts import seed_stream
from spikeline.config.molds import EMSettings
from spikeline.dynamics.em.expectation_maximisation import fit_mixture_em
from spikeline.dynamics.em.kalman_smoother import smooth
from spikeline.dynamics.em.m_step import Maximum
from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.simulated.generator import random_system, simulate_mixture
from spikeline.dynamics.trajectories import Trajectories
from spikeline.errors import NumericalError
from tests.dynamics.em.mixtures import data_of, mixture_of
from tests.dynamics.mixtures import three_component_data, three_systems


def _numpy(**changed) -> EMSettings:
    """EM by itself: its acceleration has tests of its own."""
    return EMSettings(engine="numpy", acceleration="none", **changed)


def test_statistics_of_several_lengths_add_up():
    draw = seed_stream(1, "test-em")
    system = random_system(2, 1, 1, draw)
    data = simulate_mixture([system], np.ones(1), 6, 20, draw)
    lengths = np.array([20, 20, 14, 14, 20, 14])
    mixed = Trajectories(data.inputs, data.outputs, lengths)
    outputs = data.outputs.copy()
    outputs[~mixed.inside()] = np.nan
    padded = Trajectories(data.inputs, outputs, lengths)
    fit = fit_mixture_em(padded, Mixture((system,), np.ones(1)), _numpy(most_iterations=3))
    expected = sum(
        smooth(system, data.inputs[[i], :length], data.outputs[[i], :length]).log_likelihood[0]
        for i, length in enumerate(lengths)
    )
    assert fit.log_likelihoods[0] == pytest.approx(expected)
    assert (np.diff(fit.log_likelihoods) > 0).all() and not fit.converged


def test_a_likelihood_that_falls_is_an_error(monkeypatch):
    systems = three_systems(2)
    _, data = three_component_data(2, 40, 30)

    def wrong(statistics, present, constraints):
        return Maximum((systems[0],) * 3, ())

    monkeypatch.setattr("spikeline.dynamics.em.expectation_maximisation.maximised", wrong)
    with pytest.raises(NumericalError, match="fell from"):
        fit_mixture_em(data, Mixture(tuple(systems), np.full(3, 1 / 3)), _numpy())


@pytest.mark.parametrize("size", [1e30, 1e160])
def test_a_start_without_bounds_is_an_error(size):
    systems = three_systems(2)
    _, data = three_component_data(2, 10, 20)
    huge = replace(systems[0], A=systems[0].A * size)
    with np.errstate(all="ignore"), pytest.raises(NumericalError, match="after 0 steps of EM"):
        fit_mixture_em(data, Mixture((huge, *systems[1:]), np.full(3, 1 / 3)), _numpy())


@pytest.mark.parametrize(
    "constraints",
    [
        {},
        {"feedthrough": False},
        {"diagonal_observation_noise": True},
        {"shared_outputs": True},
        {"feedthrough": False, "diagonal_observation_noise": True, "shared_outputs": True},
    ],
)
def test_the_likelihood_climbs_under_every_constraint(constraints):
    """From a start outside of them; `fit_mixture_em` itself raises where the likelihood falls."""
    data = data_of(mixture_of(1, 2, 1, 4), 2, 60, 20, seed_stream(3, "test-em").integers(2, 21, size=60))
    fit = fit_mixture_em(data, mixture_of(4, 2, 1, 4), _numpy(most_iterations=30, tolerance=0.0, **constraints))
    assert (np.diff(fit.log_likelihoods) > 0).all()
    assert not (constraints.get("feedthrough") is False and fit.mixture.stacked("D").any())
    if constraints.get("shared_outputs"):
        assert (fit.mixture.stacked("C") == fit.mixture.systems[0].C).all()
    if constraints.get("diagonal_observation_noise"):
        assert not (fit.mixture.stacked("R") * (1 - np.eye(4))).any()


def test_an_output_without_noise_ends_at_its_floor_and_is_named():
    data = data_of(mixture_of(5, 2, 1, 2, components=1), 6, 30, 20)
    data.outputs[..., 1] = 2 * data.outputs[..., 0]
    fit = fit_mixture_em(data, mixture_of(7, 2, 1, 2, components=1), _numpy(most_iterations=60, tolerance=0.0))
    assert (np.diff(fit.log_likelihoods) > -1e-8 * data.outputs.size).all()
    assert "R of component 0 lies at its floor" in fit.notes
    floor = 1e-6 * data.outputs.var()
    assert np.linalg.eigvalsh(fit.mixture.systems[0].R)[0] == pytest.approx(floor, rel=1e-3)


def test_a_component_nothing_belongs_to_waits_with_the_least_weight():
    true = mixture_of(8, 2, 1, 2, components=1)
    data = data_of(true, 9, 30, 20)
    far = replace(true.systems[0], mu=true.systems[0].mu + 1e3)
    fit = fit_mixture_em(data, Mixture((true.systems[0], far), np.array([0.5, 0.5])), _numpy(most_iterations=5))
    assert (fit.mixture.systems[1].A == far.A).all() and (fit.mixture.systems[1].mu == far.mu).all()
    assert fit.mixture.weights[1] == pytest.approx(1e-4)
    assert fit.notes == ("component 1 has too few steps, and keeps its matrices",)
    alone = fit_mixture_em(data, true, _numpy(most_iterations=5))
    np.testing.assert_allclose(fit.mixture.systems[0].A, alone.mixture.systems[0].A, rtol=1e-9)


def test_an_m_step_without_eigenvalues_is_an_error(monkeypatch):
    def broken(*_):
        raise np.linalg.LinAlgError("Eigenvalues did not converge")

    monkeypatch.setattr("spikeline.dynamics.em.expectation_maximisation.maximised", broken)
    _, data = three_component_data(0, 20, 15)
    with pytest.raises(NumericalError, match="did not converge in the M-step after 1 E-steps"):
        fit_mixture_em(data, Mixture(tuple(three_systems(0)), np.full(3, 1 / 3)), _numpy())


def test_the_tolerance_is_per_number():
    """Twice the same trajectories: twice the likelihood, and the same number of steps."""
    data = data_of(mixture_of(1, 2, 1, 2), 2, 40, 20)
    start = mixture_of(4, 2, 1, 2)
    twice = Trajectories(*(np.concatenate([part, part]) for part in (data.inputs, data.outputs, data.lengths)))
    once, both = (fit_mixture_em(part, start, _numpy(tolerance=1e-3)) for part in (data, twice))
    assert once.converged and both.converged
    np.testing.assert_allclose(both.log_likelihoods, 2 * once.log_likelihoods, rtol=1e-9)
    last, before = np.diff(once.log_likelihoods)[[-1, -2]] / data.outputs.size
    assert last < 1e-3 < before


def test_only_observed_numbers_count_for_the_tolerance():
    data = data_of(mixture_of(1, 2, 1, 2), 2, 40, 20)
    observed = seed_stream(5, "test-em").uniform(size=data.outputs.shape) < 0.3
    fit = fit_mixture_em(replace(data, observed=observed), mixture_of(4, 2, 1, 2), _numpy(tolerance=1e-3))
    last, before = np.diff(fit.log_likelihoods)[[-1, -2]]
    assert fit.converged and last < 1e-3 * observed.sum() < before < 1e-3 * data.outputs.size


def test_a_component_that_grows_is_named():
    system = mixture_of(1, 1, 1, 1, components=1).systems[0]
    growing = Mixture((replace(system, A=np.array([[1.1]])),), np.ones(1))
    fit = fit_mixture_em(data_of(growing, 2, 40, 20), growing, _numpy(most_iterations=3))
    assert len(fit.notes) == 1 and fit.notes[0].startswith("A of component 0 has the spectral radius 1.")


def test_no_iterations_score_the_start():
    data = data_of(mixture_of(1, 2, 1, 2), 2, 10, 20)
    start = mixture_of(4, 2, 1, 2)
    fit = fit_mixture_em(data, start, _numpy(most_iterations=0))
    assert len(fit.log_likelihoods) == 1 and not fit.converged
    np.testing.assert_array_equal(fit.mixture.stacked("A"), start.stacked("A"))
