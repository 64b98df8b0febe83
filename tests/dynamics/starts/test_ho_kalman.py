"""Realisation: exact on an exact response."""

import numpy as np
import pytest

from spikeline.artifacts import seed_stream
from spikeline.dynamics.simulated.generator import random_system
from spikeline.dynamics.starts.ho_kalman import realise
from spikeline.dynamics.systems import LinearSystem, markov_parameters, spectral_radius
from spikeline.errors import DataError


@pytest.mark.parametrize("lags", [7, 8])
def test_an_exact_response_is_realised_exactly(lags):
    system = random_system(3, 2, 2, seed_stream(6, "test-realisation"))
    made = realise(markov_parameters(system, lags), 3)
    again = LinearSystem(made.A, made.B, made.C, made.D, np.eye(3), np.eye(2), np.zeros(3), np.eye(3))
    np.testing.assert_allclose(markov_parameters(again, 30), markov_parameters(system, 30), atol=1e-13)
    assert made.singular_values[3] < 1e-12 * made.singular_values[0] and not made.shrunk


def test_an_unstable_estimate_is_shrunk_and_says_so():
    response = 1.05 ** np.arange(7.0)[:, None, None]
    made = realise(response, 1)
    assert made.shrunk and spectral_radius(made.A) == pytest.approx(0.98)


def test_too_few_lags_are_named():
    with pytest.raises(DataError, match="6 lags of the impulse response for 3 states"):
        realise(np.ones((6, 1, 1)), 3)


def test_a_response_that_is_not_finite_is_refused():
    with pytest.raises(DataError, match="not finite"):
        realise(np.full((7, 1, 1), np.inf), 2)
