"""The compiled engine against the numpy reference."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from spikeline.artifacts import seed_stream
from spikeline.dynamics.em import data_products, numba_engine
from spikeline.dynamics.em.kalman_smoother import smooth
from spikeline.dynamics.em.numba_covariances import filter_tables, smoothed_covariance_sums
from spikeline.dynamics.em.numba_engine import NumbaEngine
from spikeline.dynamics.em.numba_tables import FilterTables
from spikeline.dynamics.em.numpy_engine import NumpyEngine
from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.simulated.generator import simulate_mixture
from spikeline.dynamics.systems import LinearSystem, spectral_radius
from spikeline.dynamics.trajectories import Trajectories
from spikeline.errors import DataError
from tests.dynamics.em.engine_checks import assert_same_expectation


def _positive(draw: np.random.Generator, n: int, size: float) -> np.ndarray:
    root = draw.normal(size=(n, n))
    return size * (root @ root.T / n + 0.2 * np.eye(n))


def _system(draw: np.random.Generator, n: int, m: int, q: int, noise: float = 0.1) -> LinearSystem:
    A = draw.normal(size=(n, n))
    A *= draw.uniform(0.5, 0.97) / spectral_radius(A)
    B, C, D = draw.normal(size=(n, m)), draw.normal(size=(q, n)), draw.normal(size=(q, m))
    return LinearSystem(
        A, B, C, D, _positive(draw, n, 0.05), _positive(draw, q, noise), draw.normal(size=n), _positive(draw, n, 1.0)
    )


def _problem(
    seed: int,
    K: int,
    sizes: tuple[int, int, int],
    N: int,
    T: int,
    lengths: np.ndarray | None = None,
    apart: float = 1.0,
) -> tuple[Trajectories, Mixture]:
    """Trajectories and a mixture; less apart: components that differ little, so that all share in every trajectory."""
    draw = seed_stream(seed, "test-numba-engine")
    first = _system(draw, *sizes)
    systems = [first]
    for _ in range(K - 1):
        other = _system(draw, *sizes)
        mean = {name: (1 - apart) * getattr(first, name) + apart * getattr(other, name) for name in "ABCD"}
        systems.append(dataclasses.replace(other if apart == 1 else first, **mean))
    weights = draw.dirichlet(np.full(K, 5.0))
    data = simulate_mixture(systems, weights, N, T, draw)
    if lengths is not None:
        data = Trajectories(data.inputs, data.outputs, lengths)
    return data, Mixture(tuple(systems), weights)


@pytest.mark.parametrize("seed", range(12))
def test_as_the_reference_for_any_sizes_and_lengths(seed):
    draw = seed_stream(seed, "test-numba-sizes")
    n, m, q = (int(draw.integers(low, high)) for low, high in ((1, 8), (0, 4), (1, 12)))
    K, N, T = int(draw.integers(1, 5)), int(draw.integers(1, 90)), int(draw.integers(1, 130))
    lengths = draw.integers(1, T + 1, size=N) if seed % 2 else None
    data, mixture = _problem(seed, K, (n, m, q), N, T, lengths, apart=1.0 if seed % 3 else 0.02)
    engine, reference = NumbaEngine(data, 1), NumpyEngine(data)
    assert_same_expectation(engine.expectation(mixture), reference.expectation(mixture))
    np.testing.assert_allclose(
        engine.component_log_likelihoods(mixture), reference.component_log_likelihoods(mixture), rtol=1e-9
    )


def test_blocks_chunks_and_pieces_of_work_change_nothing(monkeypatch):
    data, mixture = _problem(1, 3, (3, 2, 5), 150, 40, seed_stream(1, "test-numba-lengths").integers(1, 41, size=150))
    expected = NumpyEngine(data).expectation(mixture)
    for widths, steps, buffer in (((2, 2), 1, 0), ((16, 16), 200, 1 << 14), ((64, 64), 10_000, 1 << 30)):
        monkeypatch.setattr(numba_engine, "_WIDTHS", widths)
        monkeypatch.setattr(numba_engine, "_STEPS_AT_ONCE", steps)
        monkeypatch.setattr(numba_engine, "_BUFFER", buffer)
        monkeypatch.setattr(data_products, "_AT_ONCE", widths[0] * 3)
        assert_same_expectation(NumbaEngine(data, 1).expectation(mixture), expected)


def test_the_same_bytes_for_any_number_of_threads():
    data, mixture = _problem(2, 3, (2, 1, 3), 200, 60, apart=0.1)
    one, three = (NumbaEngine(data, threads).expectation(mixture) for threads in (1, 3))
    assert one.log_likelihoods.tobytes() == three.log_likelihoods.tobytes()
    assert one.responsibilities.tobytes() == three.responsibilities.tobytes()
    for mine, theirs in zip(one.statistics, three.statistics, strict=True):
        for field in dataclasses.fields(mine):
            value, other = np.asarray(getattr(mine, field.name)), np.asarray(getattr(theirs, field.name))
            assert value.tobytes() == other.tobytes()


@pytest.mark.parametrize("noise", [1e-2, 1e-6])
def test_more_outputs_than_states_with_hardly_any_noise(noise):
    """Beyond a signal of so many times the noise, outputs are no longer reduced to the states' number."""
    draw = seed_stream(3, "test-numba-engine")
    systems = [_system(draw, 2, 1, 6, noise) for _ in range(2)]
    mixture = Mixture(tuple(systems), np.array([0.4, 0.6]))
    data = simulate_mixture(systems, mixture.weights, 20, 30, draw)
    engine = NumbaEngine(data, 1)
    assert (engine._prepared(mixture)[0] is None) == (noise < 1e-4)
    assert_same_expectation(engine.expectation(mixture), NumpyEngine(data).expectation(mixture))


def test_outputs_that_see_only_some_of_the_states():
    data, mixture = _problem(4, 2, (3, 1, 5), 12, 20)
    systems = [dataclasses.replace(system, C=system.C * np.array([1.0, 0.0, 1.0])) for system in mixture.systems]
    blind = Mixture(tuple(systems), mixture.weights)
    assert_same_expectation(NumbaEngine(data, 1).expectation(blind), NumpyEngine(data).expectation(blind))


def test_a_first_state_that_is_known():
    data, mixture = _problem(5, 2, (2, 1, 1), 10, 15)
    known = Mixture(tuple(dataclasses.replace(s, S=np.zeros((2, 2))) for s in mixture.systems), mixture.weights)
    assert_same_expectation(NumbaEngine(data, 1).expectation(known), NumpyEngine(data).expectation(known))


def test_a_component_of_no_weight():
    data, mixture = _problem(6, 3, (2, 1, 2), 15, 20)
    without = Mixture(mixture.systems, np.array([0.5, 0.0, 0.5]))
    made = NumbaEngine(data, 1).expectation(without)
    assert_same_expectation(made, NumpyEngine(data).expectation(without))
    assert made.statistics[1].n_all == 0 and not made.statistics[1].zz_all.any()


@pytest.mark.parametrize("radius", [0.3, 0.95, 0.9999, 1.0])
def test_covariances_that_have_arrived_are_those_of_every_step(radius):
    """States that are forgotten at once, slowly or never, seen well or hardly, over many more steps than they need."""
    draw = seed_stream(7, "test-numba-engine")
    turn = np.array([[np.cos(0.3), -np.sin(0.3), 0], [np.sin(0.3), np.cos(0.3), 0], [0, 0, 0.5]])
    system = dataclasses.replace(
        _system(draw, 3, 1, 1), A=radius * turn, Q=np.diag([1e-4, 1e-4, 1.0]), C=np.array([[0.01, 0.0, 1.0]])
    )
    T = 3000
    lengths = np.array([T, T, T // 2, 700])
    inputs, outputs = draw.normal(size=(4, T, 1)), draw.normal(size=(4, T, 1))
    data = Trajectories(inputs, outputs, lengths)
    mixture = Mixture((system,), np.ones(1))
    entries = len(NumbaEngine(data, 1)._prepared(mixture)[1][0].back)
    assert entries < 100 if radius == 0.3 else entries > 100
    assert_same_expectation(NumbaEngine(data, 1).expectation(mixture), NumpyEngine(data).expectation(mixture))


def test_covariances_of_several_lengths_in_one_sweep():
    system = _system(seed_stream(8, "test-numba-engine"), 3, 1, 2)
    T, weights = 60, {60: 0.7, 41: 0.25, 40: 1.5, 3: 0.4, 1: 0.1}
    ending = np.zeros(T)
    expected = np.zeros((4, 3, 3))
    for length, weight in weights.items():
        ending[length - 1] = weight
        states = smooth(system, np.zeros((1, length, 1)), np.zeros((1, length, 2)))
        V = states.covariances
        expected += weight * np.stack([V.sum(0), V[:-1].sum(0), states.next_covariances.sum(0), V[0]])
    tables = FilterTables.empty(1, T, 3, 1, 2, single=False)
    matrices = (getattr(system, name) for name in ("A", "B", "C", "D", "Q", "R", "S"))
    entries, failed = filter_tables(*matrices, *tables.of(0))
    assert entries < T and failed == -1
    predicted, filtered, back = (table[0] for table in (tables.predicted, tables.filtered, tables.back))
    made = smoothed_covariance_sums(predicted[: entries + 1], filtered[:entries], back[:entries], ending)
    np.testing.assert_allclose(made, expected, rtol=1e-10, atol=1e-12)


def test_single_precision_is_near():
    data, mixture = _problem(9, 3, (3, 2, 2), 100, 80, apart=0.3)
    made = NumbaEngine(data, 1, dtype="float32").expectation(mixture)
    expected = NumpyEngine(data).expectation(mixture)
    np.testing.assert_allclose(made.log_likelihoods, expected.log_likelihoods, rtol=2e-5)
    assert np.abs(made.log_likelihoods - expected.log_likelihoods).max() / data.outputs[0].size < 2e-7
    assert made.log_likelihoods.tobytes() != expected.log_likelihoods.tobytes()
    for mine, theirs in zip(made.statistics, expected.statistics, strict=True):
        for name in ("zz_all", "yz_all", "xz_next"):
            value, reference = getattr(mine, name), getattr(theirs, name)
            assert np.abs(value - reference).max() < 1e-3 * np.abs(reference).max()


def test_trajectories_in_any_layout_of_memory():
    data, mixture = _problem(10, 2, (2, 1, 2), 12, 20)
    turned = Trajectories(np.asfortranarray(data.inputs), np.asfortranarray(data.outputs), data.lengths)
    made, expected = (NumbaEngine(part, 1).expectation(mixture) for part in (turned, data))
    assert made.log_likelihoods.tobytes() == expected.log_likelihoods.tobytes()


def test_missing_outputs_are_refused():
    data, _ = _problem(11, 1, (1, 1, 1), 3, 5)
    observed = np.ones(data.outputs.shape, bool)
    NumbaEngine(Trajectories(data.inputs, data.outputs, data.lengths, None, observed), 1)
    observed[1, 2, 0] = False
    with pytest.raises(DataError, match="outputs are missing"):
        NumbaEngine(Trajectories(data.inputs, data.outputs, data.lengths, None, observed), 1)


@pytest.mark.parametrize("q", [1, 3])
def test_noise_that_is_no_covariance_is_named(q):
    data, mixture = _problem(12, 2, (2, 1, q), 4, 6)
    wrong = dataclasses.replace(mixture.systems[1], R=-1000 * np.eye(q))
    with pytest.raises(np.linalg.LinAlgError, match="ositive definite"):
        NumbaEngine(data, 1).expectation(Mixture((mixture.systems[0], wrong), mixture.weights))
