"""Whitening and decomposition: exact on exact input, and what is measured with noise."""

import numpy as np
import pytest

from spikeline.artifacts import seed_stream
from spikeline.dynamics.moments.stein_moments import stein_second_moment, stein_third_moment
from spikeline.dynamics.moments.ustat_moments import ustat_second_moment, ustat_third_moment
from spikeline.dynamics.scores.matching import match_components
from spikeline.dynamics.simulated.generator import random_system
from spikeline.dynamics.systems import markov_parameters
from spikeline.dynamics.tensor.joint_diagonalisation import joint_diagonaliser
from spikeline.dynamics.tensor.mixture_responses import mixture_responses
from spikeline.dynamics.tensor.tensor_decomposition import power_method, simultaneous_diagonalisation
from spikeline.dynamics.tensor.whitening import whitened_directions
from spikeline.errors import DataError, NumericalError
from tests.dynamics.mixtures import three_component_data

DECOMPOSITIONS = [simultaneous_diagonalisation, power_method]


def _orthogonal(K: int, seed: int) -> np.ndarray:
    return np.linalg.qr(seed_stream(seed, "test-tensor").normal(size=(K, K)))[0]


@pytest.mark.parametrize("decompose", DECOMPOSITIONS)
def test_an_exact_orthogonal_tensor_is_recovered(decompose):
    V, weights = _orthogonal(6, 0), np.array([4.0, 3.0, 2.5, 2.0, 1.5, 1.0])
    found = decompose(np.einsum("k,ak,bk,ck->abc", weights, V, V, V), seed_stream(1, "test-tensor"))
    np.testing.assert_allclose(found.weights, weights, atol=1e-10)
    np.testing.assert_allclose(found.vectors, V, atol=1e-10)


@pytest.mark.parametrize("K", [1, 2, 5])
def test_matrices_with_common_directions_become_diagonal(K):
    V, draw = _orthogonal(K, 2), seed_stream(3, "test-tensor")
    matrices = np.stack([V @ np.diag(draw.normal(size=K)) @ V.T for _ in range(7)])
    found = joint_diagonaliser(matrices)
    np.testing.assert_allclose(found.T @ found, np.eye(K), atol=1e-12)
    turned = found.T @ matrices @ found
    assert np.abs(turned - turned * np.eye(K)).max() < 1e-12


def test_no_rotation_of_a_plane_makes_noisy_matrices_more_diagonal():
    draw = seed_stream(4, "test-tensor")
    matrices = draw.normal(size=(9, 4, 4))
    matrices = matrices + matrices.transpose(0, 2, 1)
    V = joint_diagonaliser(matrices)

    def off(rotation: np.ndarray) -> float:
        turned = rotation.T @ matrices @ rotation
        return float((turned**2).sum() - (np.einsum("jaa->ja", turned) ** 2).sum())

    for a in range(4):
        for b in range(a + 1, 4):
            for angle in np.linspace(-np.pi / 4, np.pi / 4, 21):
                turn = np.eye(4)
                turn[[a, a, b, b], [a, b, a, b]] = [np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)]
                assert off(V @ turn) >= off(V) - 1e-9


def test_values_that_are_not_finite_are_refused():
    with pytest.raises(NumericalError, match="not finite"):
        joint_diagonaliser(np.full((2, 3, 3), np.nan))


@pytest.mark.parametrize("first_lag", [0, 1])
@pytest.mark.parametrize("decompose", DECOMPOSITIONS)
def test_exact_moments_give_the_exact_mixture(decompose, first_lag):
    draw = seed_stream(5, "test-tensor")
    systems = [random_system(3, 2, 2, draw, feedthrough=first_lag == 0) for _ in range(4)]
    true, weights = np.stack([markov_parameters(system, 7) for system in systems]), np.array([0.1, 0.2, 0.3, 0.4])
    b = true[:, first_lag:].transpose(0, 2, 1, 3).reshape(4, -1)
    whitening = whitened_directions(np.einsum("k,ka,kb->ab", weights, b, b), 4)
    z = b @ whitening.forward
    found = mixture_responses(
        whitening,
        np.einsum("k,ka,kb,kc->abc", weights, z, z, z),
        lambda T: decompose(T, draw),
        2,
        2,
        first_lag=first_lag,
    )
    match = match_components(true, found.markov)
    assert match.markov_error < 1e-9
    np.testing.assert_allclose(found.weights[match.estimate_of], weights, atol=1e-9)
    assert found.raw_weight_sum == pytest.approx(1.0)


@pytest.mark.wrong_arrays
def test_the_score_knows_no_order():
    true = seed_stream(8, "test-tensor").normal(size=(4, 5, 2, 2))
    match = match_components(true, true[[2, 0, 3, 1]])
    assert match.markov_error == 0 and match.estimate_of.tolist() == [1, 3, 0, 2]
    with pytest.raises(DataError, match="compare equal lags"):
        match_components(true, true[:3])


def test_a_component_too_many_warns():
    _, data = three_component_data(0, 400, 60)
    second = ustat_second_moment(data, 6).value
    whitened_directions(second, 3)
    with pytest.warns(UserWarning, match="component 6 does not stand out"):
        whitened_directions(second, 6)
    with pytest.raises(DataError, match="7 components of responses of 6 numbers"):
        whitened_directions(second, 7)
    with pytest.raises(DataError, match="largest eigenvalue"):
        whitened_directions(-np.eye(6), 2)


def _ustat_error(seed: int, n: int, steps: int) -> float:
    true, data = three_component_data(seed, n, steps)
    whitening = whitened_directions(ustat_second_moment(data, 6).value, 3)
    third = ustat_third_moment(data, 6, whitening.forward).value
    found = mixture_responses(
        whitening, third, lambda T: simultaneous_diagonalisation(T, seed_stream(seed, "smd")), 1, 1
    )
    return match_components(true, found.markov).markov_error


def _stein_error(seed: int, n: int, steps: int) -> float:
    """The published form: every L-th sample, half of the trajectories for each moment."""
    true, data = three_component_data(seed, n, steps)
    whitening = whitened_directions(stein_second_moment(data[: n // 2], 6, stride=6).value, 3)
    third = stein_third_moment(data[n // 2 :], 6, whitening.forward, stride=6).value
    found = mixture_responses(
        whitening, third, lambda T: simultaneous_diagonalisation(T, seed_stream(seed, "smd")), 1, 1
    )
    return match_components(true, found.markov).markov_error


@pytest.mark.filterwarnings("ignore:component")
def test_three_components_are_found_to_three_percent_and_better_than_as_published():
    ustat = np.median([_ustat_error(seed, 1000, 240) for seed in range(8)])
    stein = np.median([_stein_error(seed, 1000, 240) for seed in range(8)])
    assert ustat <= 0.03
    assert ustat <= stein / 2
