from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from spikeline.artifacts import seed_stream
from spikeline.config.molds import EMSettings
from spikeline.dynamics.em.expectation_maximisation import fit_mixture_em
from spikeline.dynamics.em.kalman_smoother import smooth
from spikeline.dynamics.em.m_step import Maximum
from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.moments.ustat_moments import ustat_second_moment, ustat_third_moment
from spikeline.dynamics.scores.matching import match_components
from spikeline.dynamics.simulated.generator import random_system, simulate_mixture
from spikeline.dynamics.starts.ho_kalman import realise
from spikeline.dynamics.starts.noise_initialisation import with_noise_from_residuals
from spikeline.dynamics.tensor.mixture_responses import mixture_responses
from spikeline.dynamics.tensor.tensor_decomposition import simultaneous_diagonalisation
from spikeline.dynamics.tensor.whitening import whitened_directions
from spikeline.dynamics.trajectories import Trajectories
from spikeline.errors import NumericalError
from tests.dynamics.mixtures import three_component_data, three_systems


def _numpy(**changed) -> EMSettings:
    return EMSettings(engine="numpy", **changed)


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


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.filterwarnings("ignore:component")
def test_moments_first_then_em_finds_the_mixture(seed):
    true, data = three_component_data(seed, 400, 60)
    whitening = whitened_directions(ustat_second_moment(data, 6).value, 3)
    third = ustat_third_moment(data, 6, whitening.forward).value
    draw = seed_stream(seed, "test-smd")
    found = mixture_responses(whitening, third, lambda T: simultaneous_diagonalisation(T, draw), 1, 1)
    start = with_noise_from_residuals([realise(g, 2) for g in found.markov], data)
    fit = fit_mixture_em(data, Mixture(tuple(start), found.weights), _numpy())
    assert (np.diff(fit.log_likelihoods) > -1e-8 * data.outputs.size).all()
    match = match_components(true, fit.mixture.responses(6))
    assert match.markov_error < 0.03
    assert adjusted_rand_score(data.labels, fit.responsibilities.argmax(axis=1)) > 0.99
