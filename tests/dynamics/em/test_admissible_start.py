import numpy as np
import pytest

from spikeline.artifacts import seed_stream
from spikeline.dynamics.em.admissible_start import admissible_start, with_shared_outputs
from spikeline.dynamics.em.m_step import Constraints
from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.simulated.generator import random_system
from spikeline.errors import DataError


def _mixture(n, m, q, seed=0):
    draw = seed_stream(seed, "test-admissible")
    return Mixture(tuple(random_system(n, m, q, draw) for _ in range(3)), np.array([0.5, 0.3, 0.2]))


def test_a_start_within_the_constraints_stays_what_it_is():
    start = _mixture(2, 1, 2)
    kept = admissible_start(start, Constraints(1e-6), 1e-4)
    for name in ("A", "B", "C", "D", "Q", "R", "mu", "S"):
        np.testing.assert_array_equal(kept.stacked(name), start.stacked(name))


def test_everything_else_is_brought_within_them():
    start = _mixture(2, 1, 3)
    kept = admissible_start(start, Constraints(0.02, False, True, True), 0.25)
    assert not kept.stacked("D").any() and kept.weights.min() == pytest.approx(0.25)
    assert np.linalg.eigvalsh(kept.stacked("Q")).min() == pytest.approx(0.02)
    assert (kept.stacked("C") == kept.systems[0].C).all()
    assert not (kept.stacked("R") * (1 - np.eye(3))).any()


@pytest.mark.parametrize(("n", "q"), [(2, 1), (3, 2), (3, 3)])
def test_one_output_matrix_changes_no_system_with_as_many_states_as_outputs(n, q):
    start = _mixture(n, 2, q)
    shared = with_shared_outputs(start.systems)
    assert (shared[2].C == shared[0].C).all()
    same = Mixture(tuple(shared), start.weights)
    np.testing.assert_allclose(same.responses(8), start.responses(8), atol=1e-12)
    noise = [C @ Q @ C.T for C, Q in zip(start.stacked("C"), start.stacked("Q"), strict=True)]
    np.testing.assert_allclose([s.C @ s.Q @ s.C.T for s in shared], noise, atol=1e-12)


def test_one_output_matrix_is_found_where_there_is_one():
    """Systems of one C, each turned into coordinates of its own."""
    draw = seed_stream(1, "test-admissible")
    C = draw.normal(size=(4, 2))
    start = _mixture(2, 1, 4)
    turned = []
    for system in start.systems:
        turn = draw.normal(size=(2, 2))
        turned.append(type(system)(**{**vars(system), "C": C @ turn}))
    found = Mixture(tuple(with_shared_outputs(turned)), start.weights)
    np.testing.assert_allclose(found.responses(8), Mixture(tuple(turned), start.weights).responses(8), atol=1e-12)


def test_components_that_show_in_other_outputs_have_no_common_matrix():
    first, second, _ = _mixture(2, 1, 4).systems
    apart = [
        type(first)(**{**vars(system), "C": np.eye(4)[:, 2 * k : 2 * k + 2] * scale})
        for k, (system, scale) in enumerate(((first, 1.0), (second, 0.5)))
    ]
    with pytest.raises(DataError, match="C of component 2 cannot be brought to the C of all"):
        with_shared_outputs([apart[0], apart[0], apart[1]])
