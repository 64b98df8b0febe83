"""Scores against brute force and libraries, and what must not change them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.metrics import adjusted_rand_score

from spikeline.artifacts import seed_stream
from spikeline.config.molds import MixtureSettings
from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.scores.coordinates import observability, parameter_error, subspace_angle
from spikeline.dynamics.scores.eigenvalues import eigenvalue_distance
from spikeline.dynamics.scores.labels import adjusted_rand_index, label_accuracy
from spikeline.dynamics.scores.likelihood import log_likelihood_per_step, most_likely_components
from spikeline.dynamics.scores.matching import match_components
from spikeline.dynamics.scores.mixture_scores import score_mixture
from spikeline.dynamics.scores.responses import relative_markov_error
from spikeline.dynamics.scores.weights import label_frequencies, weight_error
from spikeline.dynamics.simulated.generator import random_system, simulate_mixture
from spikeline.dynamics.simulated.presets import draw_mixture
from spikeline.dynamics.systems import LinearSystem
from spikeline.dynamics.trajectories import Trajectories
from spikeline.errors import DataError


def sizes(preset: str, **changed) -> dict[str, object]:
    settings = MixtureSettings(preset=preset, **changed)
    names = ("n_components", "n_states", "n_inputs", "n_outputs", "feedthrough", "process_noise", "observation_noise")
    return {name: settings.size(name) for name in names} | {"weights": settings.weights_of(settings.size(names[0]))}


def in_other_coordinates(system: LinearSystem, turn: np.ndarray) -> LinearSystem:
    back = np.linalg.inv(turn)
    return LinearSystem(
        back @ system.A @ turn, back @ system.B, system.C @ turn, system.D,
        back @ system.Q @ back.T, system.R, back @ system.mu, back @ system.S @ back.T,
    )  # fmt: skip


def disturbed(system: LinearSystem, size: float, draw: np.random.Generator) -> LinearSystem:
    parts = {name: getattr(system, name) for name in ("A", "B", "C", "D", "Q", "R", "mu", "S")}
    return LinearSystem(**parts | {name: parts[name] + size * draw.normal(size=parts[name].shape) for name in "ABC"})


@pytest.fixture(scope="module")
def scored() -> tuple[Mixture, Mixture, Trajectories, Trajectories]:
    """A true mixture of four, an estimate near it, and trajectories."""
    draw = seed_stream(0, "test-scores")
    true = draw_mixture(sizes("complex", n_components=4), draw)
    found = Mixture(tuple(disturbed(system, 0.03, draw) for system in true.systems), np.array([0.2, 0.25, 0.25, 0.3]))
    data = [simulate_mixture(true.systems, true.weights, n, 30, draw) for n in (40, 20)]
    return true, found, *data


def test_no_order_of_components_and_no_coordinates_change_a_score(scored) -> None:
    true, found, data, held_out = scored
    draw = seed_stream(1, "test-scores")
    expected = score_mixture(true, found, data, held_out, 8)
    assert 0 < expected["markov_error"] < 0.5 and expected["weight_l1"] == pytest.approx(0.1)
    order = np.array([2, 0, 3, 1])
    turned = tuple(in_other_coordinates(found.systems[k], draw.normal(size=(3, 3))) for k in order)
    other = score_mixture(true, Mixture(turned, found.weights[order]), data, held_out, 8)
    assert other == pytest.approx(expected, rel=1e-6)
    true_order = np.array([1, 3, 0, 2])
    true_turned = tuple(in_other_coordinates(true.systems[k], draw.normal(size=(3, 3))) for k in true_order)
    renamed = Trajectories(data.inputs, data.outputs, data.lengths, np.argsort(true_order)[data.labels])
    other = score_mixture(Mixture(true_turned, true.weights[true_order]), found, renamed, held_out, 8)
    assert other == pytest.approx(expected, rel=1e-6)


def test_the_truth_has_no_error_in_any_coordinates(scored) -> None:
    true, _, data, held_out = scored
    draw = seed_stream(2, "test-scores")
    turned = tuple(in_other_coordinates(system, draw.normal(size=(3, 3))) for system in true.systems)
    scores = score_mixture(true, Mixture(turned, true.weights), data, held_out, 8)
    assert scores["accuracy"] == scores["ari"] == 1
    for name in ("markov_error", "markov_error_relative", "weight_l1", "eigenvalue_distance", "parameter_error"):
        assert scores[name] == pytest.approx(0, abs=1e-9), name
    assert scores["subspace_angle_rad"] == pytest.approx(0, abs=1e-6)


def test_weights_are_compared_after_matching() -> None:
    true, found = np.array([0.5, 0.3, 0.2]), np.array([0.25, 0.45, 0.3])
    assert weight_error(true, found, np.array([1, 2, 0])) == pytest.approx(0.05 + 0.0 + 0.05)
    assert label_frequencies(np.array([0, 2, 2, 0, 2]), 4).tolist() == [0.4, 0, 0.6, 0]


@pytest.mark.parametrize("seed", range(4))
def test_the_adjusted_rand_index_is_that_of_scikit_learn(seed: int) -> None:
    draw = seed_stream(seed, "test-labels")
    true, other = draw.integers(0, 4, (2, 60))
    found = np.where(draw.uniform(size=60) < 0.7, true, other) if seed else true[::-1].copy()
    assert adjusted_rand_index(true, found) == pytest.approx(adjusted_rand_score(true, found))
    one = np.zeros(60, np.int64)
    assert adjusted_rand_index(one, one) == adjusted_rand_score(one, one) == 1
    assert adjusted_rand_index(true, one) == adjusted_rand_score(true, one) == 0


def test_the_accuracy_is_of_matched_labels() -> None:
    assert label_accuracy(np.array([0, 1, 1, 2]), np.array([2, 0, 1, 1]), np.array([2, 0, 1])) == 0.75


def test_eigenvalues_are_paired_at_best() -> None:
    draw = seed_stream(3, "test-scores")
    a, b = draw.normal(size=(2, 4, 4))
    true, found = np.linalg.eigvals(a), np.linalg.eigvals(b)
    best = min(np.abs(true - found[list(order)]).mean() for order in itertools.permutations(range(4)))
    assert eigenvalue_distance(a, b) == pytest.approx(best)


def test_the_relative_error_is_over_the_response() -> None:
    true = np.array([[[[3.0]], [[4.0]]], [[[1.0]], [[0.0]]]])
    match = match_components(true, true[::-1] * 1.1)
    assert relative_markov_error(match, true) == pytest.approx(0.1)


def test_the_angle_is_between_what_states_do_to_outputs() -> None:
    draw = seed_stream(4, "test-scores")
    system = random_system(2, 1, 1, draw)
    other = random_system(2, 1, 1, draw)
    bases = [np.linalg.qr(observability(s.A, s.C, 4))[0] for s in (system, other)]
    cosines = np.linalg.svd(bases[0].T @ bases[1], compute_uv=False)
    assert subspace_angle(system, other) == pytest.approx(np.arccos(cosines.min()), rel=1e-6)
    assert observability(system.A, system.C, 3)[2] == pytest.approx((system.C @ system.A @ system.A)[0])


def test_a_system_of_fewer_states_in_effect_has_no_finite_parameter_error() -> None:
    system = random_system(2, 1, 1, seed_stream(5, "test-scores"))
    lost = LinearSystem(
        np.diag([0.5, 0.5]), system.B, np.array([[1.0, 0.0]]), system.D, system.Q, system.R, system.mu, system.S
    )
    assert parameter_error(system, lost) == np.inf


def test_likelihoods_are_those_of_the_dense_gaussian() -> None:
    draw = seed_stream(6, "test-scores")
    mixture = draw_mixture(sizes("simple"), draw)
    data = simulate_mixture(mixture.systems, mixture.weights, 4, 5, draw)
    data = Trajectories(data.inputs, data.outputs, np.array([5, 3, 5, 3]), data.labels)
    joint = np.empty((4, 3))
    for i, k in itertools.product(range(4), range(3)):
        system, steps = mixture.systems[k], int(data.lengths[i])
        rows = observability(system.A, system.C, steps)
        mean, covariance = rows @ system.mu, rows @ system.S @ rows.T + np.kron(np.eye(steps), system.R)
        for t in range(steps):
            mean[t:] += system.D[0] * data.inputs[i, t] * (np.arange(steps - t) == 0)
            mean[t + 1 :] += (rows[: steps - t - 1] @ system.B)[:, 0] * data.inputs[i, t]
            covariance[t + 1 :, t + 1 :] += rows[: steps - t - 1] @ system.Q @ rows[: steps - t - 1].T
        likely = multivariate_normal(mean, covariance).logpdf(data.outputs[i, :steps, 0])
        joint[i, k] = likely + np.log(mixture.weights[k])
    expected = np.log(np.exp(joint).sum(axis=1)).sum() / 16
    assert log_likelihood_per_step(mixture, data) == pytest.approx(expected, rel=1e-9)
    assert most_likely_components(mixture, data).tolist() == joint.argmax(axis=1).tolist()


def test_trajectories_without_labels_cannot_be_scored(scored) -> None:
    true, found, data, held_out = scored
    with pytest.raises(DataError, match="without labels"):
        score_mixture(true, found, Trajectories(data.inputs, data.outputs, data.lengths), held_out, 8)
