"""Missing outputs against the joint Gaussian of all states and outputs, given those that were observed."""

from dataclasses import fields, replace

import numpy as np
import pytest

from spikeline.artifacts import seed_stream
from spikeline.config.molds import EMSettings
from spikeline.dynamics.em.expectation import Expectation, responsibilities_of
from spikeline.dynamics.em.expectation_maximisation import fit_mixture_em
from spikeline.dynamics.em.missing_outputs import MissingOutputsEngine
from spikeline.dynamics.em.numpy_engine import NumpyEngine
from spikeline.dynamics.em.sufficient_statistics import SufficientStatistics
from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.scores.matching import match_components
from spikeline.dynamics.trajectories import Trajectories
from tests.dynamics.em.engine_checks import assert_same_expectation
from tests.dynamics.em.joint_gaussian import joint_gaussian
from tests.dynamics.em.mixtures import SIZES, data_of, mixture_of


def _with_gaps(data: Trajectories, seed: int, share: float) -> Trajectories:
    """Single outputs missing here and there, and whole steps; NaN stands there."""
    draw = seed_stream(seed, "test-gaps")
    observed = draw.uniform(size=data.outputs.shape) > share
    observed[draw.uniform(size=observed.shape[:2]) < share / 2] = False
    outputs = data.outputs.copy()
    outputs[~observed] = np.nan
    return replace(data, outputs=outputs, observed=observed)


def _from_joint_gaussian(data: Trajectories, mixture: Mixture) -> Expectation:
    N, K = len(data), mixture.n_components
    log_likelihoods, own = np.empty((N, K)), {}
    for i, length in enumerate(data.lengths):
        inputs, seen = data.inputs[i, :length], data.observed[i, :length]
        for k, system in enumerate(mixture.systems):
            log_likelihoods[i, k], mean, cov = _given_seen(system, inputs, data.outputs[i, :length], seen)
            own[i, k] = _statistics(mean, cov, inputs, seen, mixture.n_states)
    each, responsibilities = responsibilities_of(log_likelihoods, mixture.weights)
    statistics = tuple(
        SufficientStatistics(
            **{
                field.name: sum(responsibilities[i, k] * own[i, k][field.name] for i in range(N))
                for field in fields(SufficientStatistics)
            }
        )
        for k in range(K)
    )
    return Expectation(each, responsibilities, statistics)


def _given_seen(system, inputs, outputs, seen):
    """Log-likelihood of what was seen; mean and covariance of all (x, y) given it."""
    mean, cov = joint_gaussian(system, inputs)
    rows = len(inputs) * len(system.A) + np.flatnonzero(seen.ravel())
    error = outputs.ravel()[seen.ravel()] - mean[rows]
    weight = np.linalg.solve(cov[np.ix_(rows, rows)], cov[rows]).T
    _, determinant = np.linalg.slogdet(cov[np.ix_(rows, rows)])
    surprise = error @ np.linalg.solve(cov[np.ix_(rows, rows)], error)
    log_likelihood = -0.5 * (surprise + determinant + len(rows) * np.log(2 * np.pi))
    return log_likelihood, mean + weight @ error, cov - weight @ cov[rows]


def _statistics(mean, cov, inputs, seen, n):
    T, m = inputs.shape
    q = (len(mean) - T * n) // T
    second = cov + np.outer(mean, mean)
    x = [slice(t * n, (t + 1) * n) for t in range(T)]
    y = [slice(T * n + t * q, T * n + (t + 1) * q) for t in range(T)]

    def with_inputs(rows, t):
        """E a (x[t], u[t])' of some rows a."""
        return np.concatenate([second[rows, x[t]], np.outer(mean[rows], inputs[t])], axis=1)

    def zz(t):
        from_inputs = np.concatenate([np.outer(inputs[t], mean[x[t]]), np.outer(inputs[t], inputs[t])], axis=1)
        return np.concatenate([with_inputs(x[t], t), from_inputs])

    some = [t for t in range(T) if seen[t].any()]
    nothing = {"zz_next": np.zeros((n + m, n + m)), "xz_next": np.zeros((n, n + m)), "xx_next": np.zeros((n, n))}
    return nothing | {
        "zz_next": nothing["zz_next"] + sum(zz(t) for t in range(T - 1)),
        "xz_next": nothing["xz_next"] + sum(with_inputs(x[t + 1], t) for t in range(T - 1)),
        "xx_next": nothing["xx_next"] + sum(second[x[t], x[t]] for t in range(1, T)),
        "zz_all": nothing["zz_next"] + sum(zz(t) for t in some),
        "yz_all": np.zeros((q, n + m)) + sum(with_inputs(y[t], t) for t in some),
        "yy_all": np.zeros((q, q)) + sum(second[y[t], y[t]] for t in some),
        "first": mean[x[0]],
        "first_square": second[x[0], x[0]],
        "n_next": T - 1,
        "n_all": len(some),
        "n_first": 1,
    }


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("share", [0.2, 0.7])
def test_as_the_joint_gaussian_says(size, share):
    mixture = mixture_of(0, *size, components=2)
    data = _with_gaps(data_of(mixture, 1, 6, 7, np.array([7, 7, 5, 3, 2, 1])), 2, share)
    engine = MissingOutputsEngine(data)
    expected = _from_joint_gaussian(data, mixture)
    assert_same_expectation(engine.expectation(mixture), expected, 1e-10)
    alone = engine.component_log_likelihoods(mixture)
    np.testing.assert_allclose(responsibilities_of(alone, mixture.weights)[0], expected.log_likelihoods, rtol=1e-11)


@pytest.mark.parametrize("size", SIZES)
def test_where_nothing_is_missing_it_is_the_ordinary_engine(size):
    mixture = mixture_of(3, *size)
    data = data_of(mixture, 4, 40, 30, seed_stream(5, "test-gaps").integers(1, 31, size=40))
    assert_same_expectation(
        MissingOutputsEngine(data).expectation(mixture), NumpyEngine(data).expectation(mixture), 1e-10
    )


def test_threads_change_nothing():
    mixture = mixture_of(6, 2, 1, 3)
    data = _with_gaps(data_of(mixture, 7, 50, 12), 8, 0.3)
    one, two = (MissingOutputsEngine(data, n_threads=n).expectation(mixture) for n in (1, 2))
    assert one.log_likelihoods.tobytes() == two.log_likelihoods.tobytes()
    for own, other in zip(one.statistics, two.statistics, strict=True):
        assert all(np.array_equal(getattr(own, f.name), getattr(other, f.name)) for f in fields(own))


def test_a_trajectory_of_which_nothing_was_seen_says_nothing():
    mixture = mixture_of(6, 2, 1, 3)
    data = _with_gaps(data_of(mixture, 7, 4, 12), 8, 0.3)
    data.observed[2] = False
    made = MissingOutputsEngine(data).expectation(mixture)
    assert made.log_likelihoods[2] == pytest.approx(0.0, abs=1e-12)
    np.testing.assert_allclose(made.responsibilities[2], mixture.weights)


@pytest.mark.parametrize(
    "constraints", [{}, {"feedthrough": False, "diagonal_observation_noise": True}, {"shared_outputs": True}]
)
def test_the_likelihood_of_what_was_seen_climbs(constraints):
    true = mixture_of(9, 2, 1, 3, components=2)
    data = _with_gaps(data_of(true, 10, 60, 25), 11, 0.4)
    start = mixture_of(12, 2, 1, 3, components=2)
    fit = fit_mixture_em(data, start, EMSettings(acceleration="none", most_iterations=25, tolerance=0.0, **constraints))
    assert len(fit.log_likelihoods) == 26 and (np.diff(fit.log_likelihoods) > 0).all()


def test_gaps_cost_little_of_what_is_found():
    """A third of the outputs missing at random: from the truth, EM stays near it."""
    true = mixture_of(13, 2, 1, 2, components=2)
    data = _with_gaps(data_of(true, 14, 150, 40), 15, 0.3)
    fit = fit_mixture_em(data, true, EMSettings(most_iterations=30))
    assert match_components(true.responses(6), fit.mixture.responses(6)).markov_error < 0.1
    guessed = np.where(data.observed, data.outputs, 0.0)
    naive = fit_mixture_em(
        Trajectories(data.inputs, guessed, data.lengths), true, EMSettings(engine="numpy", most_iterations=30)
    )
    assert match_components(true.responses(6), naive.mixture.responses(6)).markov_error > 0.2
