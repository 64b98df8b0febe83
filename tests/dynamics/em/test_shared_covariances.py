"""Covariances that stand still against all of them computed."""

from dataclasses import replace

import numpy as np
import pytest

from spikeline.dynamics.em.numpy_engine import NumpyEngine
from spikeline.dynamics.em.reduced_outputs import reduced_outputs
from spikeline.dynamics.em.shared_covariances import covariance_sums, shared_covariances
from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.systems import spectral_radius
from tests.dynamics.em.engine_checks import assert_same_expectation, reference_expectation
from tests.dynamics.em.mixtures import data_of, mixture_of


@pytest.mark.parametrize("size", [(2, 1, 1), (3, 1, 2), (2, 1, 6)])
@pytest.mark.parametrize("lengths", [None, np.array([300, 280, 149, 1])])
def test_a_constant_gain_is_exact(size, lengths):
    mixture = mixture_of(1, *size)
    data = data_of(mixture, 2, 4, 300, lengths)
    kept = shared_covariances(mixture, reduced_outputs(mixture), 300)
    assert kept.n_kept < 150
    every = NumpyEngine(data, at_rest=0).expectation(mixture)
    assert_same_expectation(every, reference_expectation(data, mixture), 1e-10)
    assert_same_expectation(NumpyEngine(data).expectation(mixture), every, 1e-10)


def test_one_that_starts_at_rest_is_one_step():
    mixture = mixture_of(3, 2, 1, 2, components=1)
    resting = shared_covariances(mixture, reduced_outputs(mixture), 500)
    system = replace(mixture.systems[0], S=resting.predicted[0, -1])
    mixture = Mixture((system,), np.ones(1))
    data = data_of(mixture, 4, 3, 40)
    assert shared_covariances(mixture, reduced_outputs(mixture), 40).n_kept == 1
    assert_same_expectation(NumpyEngine(data).expectation(mixture), reference_expectation(data, mixture), 1e-10)


@pytest.mark.parametrize("radius", [0.9, 0.99, 0.999, 1.0, 1.05])
def test_a_slow_system_is_followed_until_it_really_rests(radius):
    """Little noise and a radius near one: differences of successive covariances are small long before the limit."""
    mixture = mixture_of(5, 2, 1, 1, components=2)
    slow = tuple(
        replace(s, A=s.A * radius / spectral_radius(s.A), Q=1e-5 * s.Q, C=0.1 * s.C, S=1e-4 * s.S)
        for s in mixture.systems
    )
    mixture = replace(mixture, systems=slow)
    data = data_of(mixture, 6, 4, 1500 if radius <= 1 else 200)
    every, some = (NumpyEngine(data, at_rest=at_rest).expectation(mixture) for at_rest in (0, 1e-12))
    assert_same_expectation(some, every, 1e-9)


def test_weights_decide_whose_covariances_are_summed():
    mixture = mixture_of(7, 2, 1, 1, components=2)
    kept = shared_covariances(mixture, reduced_outputs(mixture), 60)
    lengths = np.array([60, 60, 40])
    only = covariance_sums(kept, lengths, np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 0.0]]))
    alone = covariance_sums(kept, lengths[:1], np.array([[1.0, 0.0]]))
    for name in ("all", "next", "first", "lagged"):
        np.testing.assert_allclose(getattr(only, name), getattr(alone, name), atol=1e-14)
        assert not getattr(only, name)[1].any()
