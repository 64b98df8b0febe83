"""Densities of outputs given states, before and after they are reduced to the states' number."""

import dataclasses

import numpy as np
import pytest

from spikeline.artifacts import seed_stream
from spikeline.dynamics.em.output_reduction import output_reduction
from spikeline.dynamics.simulated.generator import random_system
from spikeline.errors import NumericalError


def test_as_many_numbers_as_states_say_the_same():
    draw = seed_stream(0, "test-output-reduction")
    system = random_system(2, 3, 5, draw)
    root = draw.normal(size=(5, 5))
    R = root @ root.T + 0.1 * np.eye(5)
    made = output_reduction(dataclasses.replace(system, R=R))
    for _ in range(5):
        x, u, y = draw.normal(size=2), draw.normal(size=3), draw.normal(size=5)
        error = y - system.C @ x - system.D @ u
        expected = -0.5 * (error @ np.linalg.solve(R, error) + np.linalg.slogdet(R)[1] + 5 * np.log(2 * np.pi))
        o = np.concatenate([y, u])
        z = made.forward @ o
        of_z = -0.5 * (((z - made.seen @ x) ** 2).sum() + 2 * np.log(2 * np.pi))
        rest = -0.5 * (o @ made.rest @ o + 3 * np.log(2 * np.pi)) - made.half_determinant
        assert of_z + rest == pytest.approx(expected, rel=1e-12)
        assert o @ made.whole @ o == pytest.approx((y - system.D @ u) @ np.linalg.solve(R, y - system.D @ u), rel=1e-12)


def test_noise_that_is_no_covariance_is_named():
    system = random_system(1, 1, 2, seed_stream(1, "test-output-reduction"))
    with pytest.raises(NumericalError, match="not positive definite"):
        output_reduction(dataclasses.replace(system, R=np.diag([1.0, -1.0])))
