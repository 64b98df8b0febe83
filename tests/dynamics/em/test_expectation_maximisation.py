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
