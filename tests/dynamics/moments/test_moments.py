"""Moments against sums written as they are defined, against exact values, and shard by shard."""

from itertools import permutations

import numpy as np
import pytest

from spikeline.artifacts import seed_stream
from spikeline.dynamics.moments.moment_sums import MomentSum
from spikeline.dynamics.moments.stein_moments import stein_second_moment, stein_third_moment
from spikeline.dynamics.moments.ustat_moments import ustat_second_moment, ustat_third_moment
from spikeline.dynamics.simulated.generator import random_system, simulate_mixture
from spikeline.dynamics.systems import markov_parameters
from spikeline.dynamics.trajectories import Trajectories
from spikeline.errors import DataError
from tests.dynamics.mixtures import WEIGHTS, three_systems


def _data(n: int, steps: int, m: int = 2, q: int = 2, seed: int = 0) -> Trajectories:
    draw = seed_stream(seed, "test-moments")
    systems = [random_system(2, m, q, draw) for _ in range(2)]
    return simulate_mixture(systems, np.array([0.4, 0.6]), n, steps, draw)


@pytest.mark.parametrize("first_lag", [0, 1])
def test_ustat_is_the_sum_over_different_windows_of_each_grid(first_lag):
    lags, data = 2, _data(3, 9)
    lengths = np.array([9, 8, 5])
    data = Trajectories(data.inputs, data.outputs, lengths, data.labels)
    W = seed_stream(1, "test-moments").normal(size=(8, 3))
    second, third, pairs, triples = np.zeros((8, 8)), np.zeros((3, 3, 3)), 0, 0
    for i in range(3):
        for offset in range(lags):
            windows = []
            for t in range(lags + first_lag - 1 + offset, lengths[i], lags):
                v = np.concatenate([data.inputs[i, t - first_lag - lag] for lag in range(lags)])
                windows.append(np.outer(data.outputs[i, t], v).ravel())
            for s, r in permutations(windows, 2):
                second += np.outer(s, r)
                pairs += 1
            for s, r, o in permutations([w @ W for w in windows], 3):
                third += np.einsum("a,b,c->abc", s, r, o)
                triples += 1
    made = ustat_second_moment(data, lags, first_lag), ustat_third_moment(data, lags, W, first_lag)
    assert (made[0].count, made[1].count) == (pairs, triples)
    np.testing.assert_allclose(made[0].total, second, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(made[1].total, third, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("stride", [1, 3])
def test_stein_is_the_sum_over_samples(stride):
    lags, data = 3, _data(2, 8, m=2, q=1)
    W = seed_stream(1, "test-moments").normal(size=(6, 2))
    second, third, n = np.zeros((6, 6)), np.zeros((6, 6, 6)), 0
    unit = np.eye(6)
    for i in range(2):
        for t in range(lags - 1, 8, stride):
            v, y = np.concatenate([data.inputs[i, t - lag] for lag in range(lags)]), data.outputs[i, t, 0]
            second += y**2 * (np.outer(v, v) - unit) / 2
            flat = sum(np.einsum("a,b,c->abc", *parts) for e in unit for parts in ((v, e, e), (e, v, e), (e, e, v)))
            third += y**3 * (np.einsum("a,b,c->abc", v, v, v) - flat) / 6
            n += 1
    made = stein_second_moment(data, lags, stride=stride), stein_third_moment(data, lags, W, stride=stride)
    assert made[0].count == made[1].count == n
    np.testing.assert_allclose(made[0].total, second, atol=1e-12)
    np.testing.assert_allclose(made[1].total, np.einsum("abc,ai,bj,ck->ijk", third, W, W, W), atol=1e-11)


def test_stein_identities():
    """Four inputs seen through one vector: 4 million samples, noise of standard deviation 0.5."""
    draw = seed_stream(7, "test-moments")
    b = draw.normal(size=4)
    v = draw.normal(size=(1, 4_000_000, 4))
    y = v @ b + 0.5 * draw.normal(size=v.shape[:2])
    data = Trajectories(v, y[..., None], np.array([v.shape[1]]))
    second = stein_second_moment(data, 1).value
    third = stein_third_moment(data, 1, np.eye(4)).value
    assert np.linalg.norm(second - np.outer(b, b)) < 0.01 * np.linalg.norm(np.outer(b, b))
    cube = np.einsum("a,b,c->abc", b, b, b)
    assert np.linalg.norm(third - cube) < 0.03 * np.linalg.norm(cube)


def test_the_ustat_has_no_bias_from_what_the_response_has_beyond_the_lags():
    systems = three_systems(3)
    data = simulate_mixture(systems, WEIGHTS, 20_000, 24, seed_stream(3, "test-moments"))
    g = np.stack([markov_parameters(system, 2).ravel() for system in systems])
    shares = np.bincount(data.labels) / len(data)
    expected = np.einsum("k,ka,kb->ab", shares, g, g)
    made = ustat_second_moment(data, 2).value
    parts = np.stack([ustat_second_moment(data[i : i + 1000], 2).value for i in range(0, 20_000, 1000)])
    # within five standard errors of the mean of twenty independent parts
    assert (np.abs(made - expected) < 5 * parts.std(axis=0) / np.sqrt(20)).all()
    assert np.linalg.norm(made - expected) < 0.1 * np.linalg.norm(expected)


@pytest.mark.parametrize("estimator", ["ustat", "stein"])
def test_shards_add_up_to_the_whole(estimator, monkeypatch):
    data = _data(40, 30, q=1)
    W = seed_stream(2, "test-moments").normal(size=(6, 2))
    second, third = {
        "ustat": (ustat_second_moment, ustat_third_moment),
        "stein": (stein_second_moment, stein_third_moment),
    }[estimator]
    shards = [data[i : i + 13] for i in range(0, 40, 13)]
    monkeypatch.setattr("spikeline.dynamics.moments.ustat_moments._VALUES_AT_ONCE", 500)
    for whole, parts in (
        (second(data, 3), [second(shard, 3) for shard in shards]),
        (third(data, 3, W), [third(shard, 3, W) for shard in shards]),
    ):
        summed = parts[0]
        for part in parts[1:]:
            summed = summed + part
        assert summed.count == whole.count
        np.testing.assert_allclose(summed.value, whole.value, rtol=1e-12, atol=1e-13)


def test_too_short_trajectories_are_named():
    with pytest.raises(DataError, match="no trajectory is long enough"):
        _ = ustat_third_moment(_data(3, 5), 2, np.eye(8)).value
    with pytest.raises(DataError, match="no trajectory is long enough"):
        _ = MomentSum(np.zeros(3), 0.0).value


def test_stein_takes_one_output():
    with pytest.raises(DataError, match="2 outputs"):
        stein_second_moment(_data(2, 8), 2)


def test_windows_with_a_missing_output_do_not_count():
    lags, data = 2, _data(3, 13)
    observed = seed_stream(4, "test-moments").uniform(size=data.outputs.shape) > 0.15
    outputs = np.where(observed, data.outputs, np.nan)
    gaps = Trajectories(data.inputs, outputs, data.lengths, observed=observed)
    second, third, pairs, triples = np.zeros((8, 8)), np.zeros((8, 8, 8)), 0, 0
    for i in range(3):
        for offset in range(lags):
            windows = []
            for t in range(lags - 1 + offset, 13, lags):
                if observed[i, t].all():
                    v = np.concatenate([data.inputs[i, t - lag] for lag in range(lags)])
                    windows.append(np.outer(data.outputs[i, t], v).ravel())
            for s, r in permutations(windows, 2):
                second += np.outer(s, r)
                pairs += 1
            for s, r, o in permutations(windows, 3):
                third += np.einsum("a,b,c->abc", s, r, o)
                triples += 1
    made = ustat_second_moment(gaps, lags), ustat_third_moment(gaps, lags, np.eye(8))
    assert (made[0].count, made[1].count) == (pairs, triples)
    np.testing.assert_allclose(made[0].total, second, atol=1e-10)
    np.testing.assert_allclose(made[1].total, third, atol=1e-10)


def test_stein_leaves_out_missing_outputs():
    data = _data(4, 12, q=1)
    observed = np.ones(data.outputs.shape, bool)
    observed[1, 5:], observed[2] = False, False
    gaps = Trajectories(data.inputs, np.where(observed, data.outputs, np.nan), data.lengths, observed=observed)
    short = Trajectories(data.inputs, data.outputs, np.array([12, 5, 12, 12]))[np.array([0, 1, 3])]
    one, other = stein_second_moment(gaps, 3), stein_second_moment(short, 3)
    assert one.count == other.count
    np.testing.assert_allclose(one.total, other.total)
