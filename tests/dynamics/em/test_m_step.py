"""The M-step against the expected log-likelihood it has to make largest, written out term by term."""

from dataclasses import replace

import numpy as np
import pytest

from spikeline.artifacts import seed_stream
from spikeline.dynamics.em.admissible_start import admissible_start
from spikeline.dynamics.em.kalman_smoother import smooth
from spikeline.dynamics.em.m_step import Constraints, floored, floored_weights, maximised
from spikeline.dynamics.em.sufficient_statistics import sufficient_statistics
from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.simulated.generator import random_system, simulate_mixture
from tests.dynamics.em.expected_likelihood import expected_log_likelihood

MATRICES = ("A", "B", "C", "D", "Q", "R", "mu", "S")


class Task:
    """Two systems under constraints, trajectories, their smoothed states and the M-step's outcome."""

    def __init__(self, constraints, seed=0, scale=1.0, inputs=None):
        self.draw = seed_stream(seed, "test-m-step")
        self.constraints = constraints
        systems = tuple(random_system(2, 1, 3, self.draw) for _ in range(2))
        self.data = simulate_mixture(systems, np.full(2, 0.5), 5, 9, self.draw, inputs)
        start = admissible_start(Mixture(systems, np.full(2, 0.5)), constraints, 0.01)
        self.weights = self.draw.uniform(size=(2, 5)) * scale
        self.states = [smooth(system, self.data.inputs, self.data.outputs) for system in start.systems]
        self.statistics = [
            sufficient_statistics(states, self.data.inputs, self.data.outputs, own)
            for states, own in zip(self.states, self.weights, strict=True)
        ]
        self.start = start.systems
        self.best = maximised(self.statistics, start.systems, constraints)

    def value(self, systems):
        return sum(
            expected_log_likelihood(system, states, self.data.inputs, self.data.outputs, own)
            for system, states, own in zip(systems, self.states, self.weights, strict=True)
        )

    def changed(self, systems, name):
        """The systems with one matrix changed a little, within the constraints."""
        shape = getattr(systems[0], name).shape
        changes = 1e-3 * self.draw.normal(size=(2, *shape))
        if name == "C" and self.constraints.shared_outputs:
            changes[1] = changes[0]
        if name in "QRS":
            turned = [getattr(system, name) @ (c + c.T) for system, c in zip(systems, changes, strict=True)]
            changes = np.stack([(c + c.T) / 2 for c in turned])
        if name == "R" and self.constraints.diagonal:
            changes *= np.eye(len(changes[0]))
        return [replace(s, **{name: getattr(s, name) + c}) for s, c in zip(systems, changes, strict=True)]


@pytest.mark.parametrize("shared_outputs", [False, True])
@pytest.mark.parametrize("diagonal", [False, True])
@pytest.mark.parametrize("feedthrough", [False, True])
def test_no_other_matrices_within_the_constraints_have_a_larger_expected_likelihood(
    feedthrough, diagonal, shared_outputs
):
    task = Task(Constraints(1e-12, feedthrough, diagonal, shared_outputs))
    best, top = task.best.systems, task.value(task.best.systems)
    assert not task.best.notes and top > task.value(task.start)
    for system in best:
        assert feedthrough or not system.D.any()
        assert not diagonal or not (system.R - np.diag(np.diagonal(system.R))).any()
        assert not shared_outputs or (system.C == best[0].C).all()
    for name in MATRICES:
        if name == "D" and not feedthrough:
            continue
        for _ in range(4):
            assert task.value(task.changed(best, name)) < top


def test_zeroing_and_averaging_afterwards_would_be_worse():
    task = Task(Constraints(1e-12, False, True, True))
    free = Task(Constraints(1e-12)).best.systems
    C = np.mean([system.C for system in free], axis=0)
    cut = [replace(s, C=C, D=np.zeros_like(s.D), R=np.diag(np.diagonal(s.R))) for s in free]
    assert task.value(cut) < task.value(task.best.systems) - 1


@pytest.mark.parametrize("diagonal", [False, True])
def test_floors_are_constraints_like_the_others(diagonal):
    floor = 0.15
    task = Task(Constraints(floor, True, diagonal, True))
    systems, top = task.best.systems, task.value(task.best.systems)
    assert {note[0] for note in task.best.notes} == set("QRS")
    for name in "QRS":
        assert np.linalg.eigvalsh(getattr(systems[0], name))[0] == pytest.approx(floor)
        for _ in range(8):
            other = task.changed(systems, name)
            allowed = [floored(getattr(system, name), floor)[0] for system in other]
            other = [replace(system, **{name: own}) for system, own in zip(other, allowed, strict=True)]
            assert task.value(other) <= top + 1e-12


def test_a_component_without_trajectories_keeps_its_matrices_but_for_the_shared_ones():
    for shared in (False, True):
        constraints = Constraints(1e-12, shared_outputs=shared)
        task = Task(constraints)
        starved = sufficient_statistics(task.states[1], task.data.inputs, task.data.outputs, np.full(5, 1e-3))
        best = maximised([task.statistics[0], starved], task.start, constraints)
        for name in MATRICES:
            kept = (getattr(best.systems[1], name) == getattr(task.start[1], name)).all()
            assert kept != (shared and name == "C")
        assert best.notes == ("component 1 has too few steps, and keeps its matrices",)
        assert (best.systems[0].A == task.best.systems[0].A).all()
        if shared:  # what little it has still counts, with its own D and R as they are
            task.weights = np.stack([task.weights[0], np.full(5, 1e-3)])
            top = task.value(best.systems)
            for _ in range(4):
                assert task.value(task.changed(best.systems, "C")) < top


@pytest.mark.parametrize("shared_outputs", [False, True])
def test_what_inputs_do_not_determine_stays_as_it_is(shared_outputs):
    task = Task(Constraints(1e-12, shared_outputs=shared_outputs), inputs=np.zeros((5, 9, 1)))
    for best, start in zip(task.best.systems, task.start, strict=True):
        np.testing.assert_allclose(best.B, start.B, rtol=1e-14)
        np.testing.assert_allclose(best.D, start.D, rtol=1e-14)
    top = task.value(task.best.systems)
    assert top > task.value(task.start)
    for name in ("A", "C", "R"):
        assert task.value(task.changed(task.best.systems, name)) < top


def test_weights_below_the_least_get_it_and_the_others_share_the_rest():
    found = floored_weights(np.array([6.0, 3.0, 0.001, 1.0]), 0.05)
    np.testing.assert_allclose(found, [0.57, 0.285, 0.05, 0.095])
    # 0.06 falls below the least only once the rest is scaled down
    np.testing.assert_allclose(floored_weights(np.array([0.93, 0.0601, 0.0099]), 0.06), [0.88, 0.06, 0.06], atol=1e-3)
    best = found @ np.log(found)
    shares = np.array([6.0, 3.0, 0.001, 1.0])
    draw = seed_stream(4, "test-m-step")
    for _ in range(50):
        other = np.maximum(found + 0.01 * draw.normal(size=4), 0.05)
        other = np.maximum(other / other.sum(), 0.05)
        if abs(other.sum() - 1) < 1e-12:
            assert shares @ np.log(other) <= shares @ np.log(found)
    assert np.isfinite(best)
