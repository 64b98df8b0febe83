import numpy as np
import pytest

from spikeline.config.molds import EMSettings
from spikeline.dynamics.em.anderson import Memory
from spikeline.dynamics.em.coordinates import as_mixture, as_vector
from spikeline.dynamics.em.expectation_maximisation import fit_mixture_em
from spikeline.dynamics.em.numpy_engine import NumpyEngine
from spikeline.dynamics.mixture import Mixture
from tests.dynamics.em.mixtures import any_system
from tests.dynamics.mixtures import WEIGHTS, three_component_data, three_systems


def test_a_linear_map_is_solved_once_all_its_directions_are_known():
    draw = np.random.default_rng(0)
    turn = np.linalg.qr(draw.normal(size=(4, 4)))[0]
    slow = turn @ np.diag([0.99, 0.9, 0.5, 0.2]) @ turn.T  # the slowest direction would take EM a thousand steps
    goal = draw.normal(size=4)
    memory, point, extrapolated = Memory.empty(4), np.zeros(4), False
    for _ in range(6):
        memory = memory.with_step(point, goal + slow @ (point - goal), extrapolated=extrapolated)
        tried = memory.extrapolation()
        extrapolated = tried is not None
        point = goal + slow @ (point - goal) if tried is None else tried
    np.testing.assert_allclose(point, goal, atol=1e-6)


def test_after_a_step_that_was_taken_back_more_is_waited_for():
    memory = Memory.empty(2)
    points = np.random.default_rng(1).normal(size=(9, 2))
    memory = memory.with_step(points[0], points[0] / 2, extrapolated=False)
    assert memory.extrapolation() is None
    memory = memory.with_step(points[1], points[1] / 2, extrapolated=False)
    assert memory.extrapolation() is not None
    memory = memory.forgotten(for_longer=True)
    for point, enough in zip(points[2:5], (False, True, True), strict=True):
        memory = memory.with_step(point, point / 2, extrapolated=False)
        assert (memory.extrapolation() is not None) == enough
    assert memory.with_step(points[5], points[5] / 2, extrapolated=True).wait == 1


def test_a_map_that_stands_still_is_left_alone():
    memory = Memory.empty(3).with_step(np.ones(3), np.ones(3), extrapolated=False)
    assert memory.with_step(np.ones(3), np.ones(3), extrapolated=False).extrapolation() is None


@pytest.mark.parametrize(("n", "m", "q"), [(2, 1, 2), (3, 0, 1), (1, 2, 3)])
def test_vectors_give_mixtures_back(n, m, q):
    mixture = Mixture((any_system(1, n, m, q), any_system(2, n, m, q)), np.array([0.3, 0.7]))
    back = as_mixture(as_vector(mixture), mixture)
    np.testing.assert_allclose(back.weights, mixture.weights, rtol=1e-12)
    for name in ("A", "B", "C", "D", "Q", "R", "mu", "S"):
        np.testing.assert_allclose(back.stacked(name), mixture.stacked(name), rtol=1e-9, atol=1e-11)
    # any vector is a mixture: covariances stay positive
    far = as_mixture(as_vector(mixture) + 2.0, mixture)
    assert all(np.linalg.eigvalsh(system.Q).min() > 0 for system in far.systems)


@pytest.mark.parametrize(
    "constraints", [{}, {"feedthrough": False, "diagonal_observation_noise": True}, {"shared_outputs": True}]
)
def test_fewer_steps_to_a_higher_likelihood(constraints):
    _, data = three_component_data(0, 150, 40)
    start = Mixture(tuple(three_systems(0)), WEIGHTS)
    slow = {"most_iterations": 60, "tolerance": 0.0, "engine": "numpy", **constraints}
    plain = fit_mixture_em(data, start, EMSettings(acceleration="none", **slow))
    fast = fit_mixture_em(data, start, EMSettings(**slow))
    assert (np.diff(fast.log_likelihoods) >= -1e-8 * data.outputs.size).all()
    assert fast.log_likelihoods[30] > plain.log_likelihoods[-1]
    if constraints.get("shared_outputs"):
        assert all(np.array_equal(system.C, fast.mixture.systems[0].C) for system in fast.mixture.systems)
    if constraints.get("diagonal_observation_noise"):
        assert not fast.mixture.stacked("D").any()


@pytest.mark.parametrize("far", [1e4, -1e6, 1e200, np.inf])
def test_an_extrapolation_to_nowhere_is_left_for_a_step_of_em(far, monkeypatch):
    monkeypatch.setattr(Memory, "extrapolation", lambda memory: memory.point + far if len(memory.points) else None)
    _, data = three_component_data(0, 60, 20)
    settings = {"most_iterations": 6, "tolerance": 0.0, "engine": "numpy"}
    start = Mixture(tuple(three_systems(0)), WEIGHTS)
    fit = fit_mixture_em(data, start, EMSettings(**settings))
    plain = fit_mixture_em(data, start, EMSettings(acceleration="none", **settings))
    assert (np.diff(fit.log_likelihoods) >= -1e-8 * data.outputs.size).all()
    assert fit.log_likelihoods[0] == plain.log_likelihoods[0]
    assert set(fit.log_likelihoods) <= set(plain.log_likelihoods)  # steps of EM alone, fewer where some were lost


@pytest.mark.parametrize("most", range(7))
def test_no_more_steps_than_allowed_even_if_extrapolations_are_lost(most, monkeypatch):
    monkeypatch.setattr(Memory, "extrapolation", lambda memory: memory.point * 3 if len(memory.points) else None)
    _, data = three_component_data(0, 60, 20)
    settings = EMSettings(most_iterations=most, tolerance=0.0, engine="numpy")
    fit = fit_mixture_em(data, Mixture(tuple(three_systems(0)), WEIGHTS), settings)
    assert len(fit.log_likelihoods) == most + 1 and not fit.converged
    np.testing.assert_allclose(
        fit.log_likelihoods[-1], NumpyEngine(data).expectation(fit.mixture).log_likelihoods.sum()
    )
