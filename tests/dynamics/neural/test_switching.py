"""The switching system against exact answers: one regime, regimes that never change, and two steps by enumeration."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import logsumexp

from spikeline.artifacts import seed_stream
from spikeline.dynamics.em.kalman_smoother import smooth
from spikeline.dynamics.forecast import forecast
from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.neural.switching.switching_em import fit_switching, most_frequent_regime, switching_forecast
from spikeline.dynamics.neural.switching.switching_filter import filter_regimes
from spikeline.dynamics.neural.switching.switching_system import SwitchingSystem, perturbed
from spikeline.dynamics.simulated.generator import simulate_mixture
from spikeline.dynamics.systems import LinearSystem
from spikeline.dynamics.trajectories import Trajectories
from spikeline.errors import DataError, NumericalError
from tests.dynamics.em.mixtures import any_system
from tests.dynamics.neural.sessions import from_two_systems, two_systems


def switching(systems: list[LinearSystem], first: np.ndarray, transitions: np.ndarray) -> SwitchingSystem:
    one = systems[0]
    stacks = (np.stack([getattr(system, name) for system in systems]) for name in "ABQ")
    return SwitchingSystem(*stacks, one.C, one.D, one.R, one.mu, one.S, first, transitions)


def log_likelihood(system: LinearSystem, data: Trajectories, trial: int) -> float:
    own = slice(0, int(data.lengths[trial]))
    return float(smooth(system, data.inputs[[trial], own], data.outputs[[trial], own]).log_likelihood[0])


def test_regimes_that_never_change_are_a_mixture() -> None:
    data, systems, weights = from_two_systems(), two_systems(), np.array([0.4, 0.6])
    system = switching(systems, weights, np.eye(2))
    joint = np.array([[log_likelihood(one, data, trial) for one in systems] for trial in range(len(data))])
    expected = logsumexp(joint + np.log(weights), axis=1)
    np.testing.assert_allclose(filter_regimes(system, data).log_likelihood, expected, rtol=1e-10)
    np.testing.assert_array_equal(most_frequent_regime(system, data), (joint + np.log(weights)).argmax(axis=1))
    for ahead in (1, 3):
        theirs = forecast(Mixture(tuple(systems), weights), data, ahead)
        ours = switching_forecast(system, data, ahead)
        np.testing.assert_allclose(ours[:, ahead:], theirs[:, ahead:], atol=1e-10)
        assert np.isnan(ours[:, :ahead]).all() and np.isnan(ours[1, 6:]).all()


def test_two_steps_are_exact() -> None:
    """Every path of regimes by itself; the second step's dynamics are those of the regime it is in."""
    data = from_two_systems(4, 2)
    systems = two_systems()
    first, transitions = np.array([0.3, 0.7]), np.array([[0.8, 0.2], [0.4, 0.6]])
    made = filter_regimes(switching(systems, first, transitions), data).log_likelihood
    for trial in range(4):
        paths = [
            np.log(first[i] * transitions[i, j]) + log_likelihood(systems[j], data, trial)
            for i in range(2)
            for j in range(2)
        ]
        assert made[trial] == pytest.approx(logsumexp(paths), rel=1e-12)


def test_em_of_one_regime_climbs_to_where_the_linear_system_s_does() -> None:
    from spikeline.config.molds import EMSettings
    from spikeline.dynamics.em.expectation_maximisation import fit_mixture_em

    data = from_two_systems(30, 12)
    start = two_systems()[0]
    one = switching([start], np.ones(1), np.ones((1, 1)))
    ours = fit_switching(data, one, 6).log_likelihoods
    settings = EMSettings(most_iterations=6, tolerance=0.0, engine="numpy", acceleration="none")
    theirs = fit_mixture_em(data, Mixture((start,), np.ones(1)), settings).log_likelihoods
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)
    assert (np.diff(ours) > 0).all()


def test_em_finds_changes_within_trials() -> None:
    draw = seed_stream(4, "test-switching")
    systems = two_systems()
    steps, n = 40, 40
    regime = np.zeros((n, steps), int)
    regime[:, steps // 2 :] = 1
    inputs, outputs = draw.normal(size=(n, steps, 2)), np.empty((n, steps, 3))
    state = np.zeros((n, 2))
    for t in range(steps):
        outputs[:, t] = state @ systems[0].C.T + inputs[:, t] @ systems[0].D.T + 0.1 * draw.normal(size=(n, 3))
        one = systems[regime[0, min(t + 1, steps - 1)]]
        state = state @ one.A.T + inputs[:, t] @ one.B.T + 0.05 * draw.normal(size=(n, 2))
    data = Trajectories(inputs, outputs, np.full(n, steps))
    start = switching(systems, np.full(2, 0.5), np.full((2, 2), 0.5))
    fit = fit_switching(data, start, 5)
    weights = filter_regimes(fit.system, data).weights
    assert (weights.argmax(axis=2) == regime)[:, 5:].mean() > 0.8
    assert fit.log_likelihoods.max() > fit.log_likelihoods[0]


@pytest.mark.parametrize("seed", range(3))
def test_em_climbs_where_q_is_nearly_singular(seed) -> None:
    """Kim's way back runs away from such a start, unless Q is kept apart from 0."""
    draw = seed_stream(seed, "test-switching-steady")
    one = any_system(seed, 2, 2, 6)
    one = replace(one, A=np.diag([0.75, 0.3]), Q=np.diag([1e-3, 1.7]), R=0.5 * np.eye(6), S=np.diag([0.8, 5.0]))
    data = simulate_mixture([one, replace(one, A=one.A.T @ np.diag([1.0, -1.0]))], np.full(2, 0.5), 60, 40, draw)
    fit = fit_switching(data, perturbed(one, 3, 0.95, draw), 10)
    assert len(fit.log_likelihoods) == 11 and fit.log_likelihoods[-1] > fit.log_likelihoods[0]
    assert all(np.linalg.eigvalsh(Q)[0] > 0.099 * np.trace(Q) / 2 for Q in fit.system.Q)


def test_the_start_has_regimes_near_the_system() -> None:
    one = two_systems()[0]
    made = perturbed(one, 3, 0.9, seed_stream(1, "test-switching"))
    np.testing.assert_allclose(made.transitions, [[0.9, 0.05, 0.05], [0.05, 0.9, 0.05], [0.05, 0.05, 0.9]])
    assert 0 < np.abs(made.A - one.A).max() < 1
    np.testing.assert_array_equal(perturbed(one, 1, 0.9, seed_stream(1, "test-switching")).transitions, [[1.0]])


def test_what_cannot_be_fitted_is_named() -> None:
    data = from_two_systems()
    missing = Trajectories(data.inputs, data.outputs, data.lengths, observed=np.ones(data.outputs.shape, bool))
    system = switching(two_systems(), np.full(2, 0.5), np.eye(2))
    with pytest.raises(DataError, match="missing outputs"):
        filter_regimes(system, missing)
    with np.errstate(all="ignore"), pytest.raises(NumericalError, match="log-likelihood is nan"):
        fit_switching(data, replace(system, A=system.A * np.nan), 1)
