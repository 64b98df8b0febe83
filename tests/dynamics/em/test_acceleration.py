from dataclasses import replace

import numpy as np
import pytest

from spikeline.config.molds import EMSettings
from spikeline.dynamics.em.acceleration import extrapolated
from spikeline.dynamics.em.expectation_maximisation import fit_mixture_em
from spikeline.dynamics.em.numpy_engine import NumpyEngine
from spikeline.dynamics.mixture import Mixture
from tests.dynamics.em.mixtures import data_of, mixture_of

MODULE = "spikeline.dynamics.em.expectation_maximisation"


class Counting:
    """An engine that counts its E-steps."""

    def __init__(self, engine):
        self.engine, self.count = engine, 0

    def expectation(self, mixture):
        self.count += 1
        return self.engine.expectation(mixture)


def _settings(**changed):
    return EMSettings(engine="numpy", **{"most_iterations": 400, "tolerance": 1e-5, **changed})


def test_steps_of_one_rate_lead_to_their_limit():
    """With theta[i + 1] - limit = rate (theta[i] - limit) the longer step ends at the limit."""
    limit, other = mixture_of(0, 2, 1, 2), mixture_of(1, 2, 1, 2)

    def root(system, name):
        factor = np.linalg.cholesky(getattr(system, name))
        return np.tril(factor, -1), np.log(np.diagonal(factor))

    def between(share):
        systems = []
        for end, begin in zip(limit.systems, other.systems, strict=True):
            changed = {n: (1 - share) * getattr(end, n) + share * getattr(begin, n) for n in ("A", "B", "C", "D", "mu")}
            for name in ("Q", "R", "S"):
                lower, diagonal = (
                    (1 - share) * to + share * of for to, of in zip(root(end, name), root(begin, name), strict=True)
                )
                factor = lower + np.diag(np.exp(diagonal))
                changed[name] = factor @ factor.T
            systems.append(replace(end, **changed))
        return Mixture(tuple(systems), limit.weights)

    made = extrapolated(between(1.0), between(0.8), between(0.64))
    for name in ("A", "B", "C", "D", "Q", "R", "mu", "S"):
        np.testing.assert_allclose(made.stacked(name), limit.stacked(name), atol=1e-11)
    np.testing.assert_allclose(made.weights, limit.weights, rtol=1e-12)


def test_one_that_stands_still_stays():
    mixture = mixture_of(0, 2, 1, 2)
    made = extrapolated(mixture, mixture, mixture)
    np.testing.assert_allclose(made.stacked("Q"), mixture.stacked("Q"), rtol=1e-12)


ALL = {"feedthrough": False, "diagonal_observation_noise": True, "shared_outputs": True}


@pytest.mark.parametrize("constraints", [{}, ALL])
def test_the_same_maximum_in_fewer_steps(constraints):
    true = mixture_of(1, 2, 1, 3, components=2)
    data = data_of(true, 2, 60, 25)
    start = replace(true, systems=tuple(replace(s, A=0.5 * s.A, B=0.5 * s.B, R=3 * s.R) for s in true.systems))
    plain, fast = Counting(NumpyEngine(data)), Counting(NumpyEngine(data))
    slow = fit_mixture_em(data, start, _settings(**constraints), engine=plain)
    quick = fit_mixture_em(data, start, _settings(acceleration="squarem", **constraints), engine=fast)
    assert slow.converged and quick.converged and fast.count < 0.8 * plain.count
    assert (np.diff(quick.log_likelihoods) > -1e-8 * data.outputs.size).all()
    assert quick.log_likelihoods[-1] > slow.log_likelihoods[-1] - 1e-4 * data.outputs.size
    if constraints:
        assert not quick.mixture.stacked("D").any()
        assert (quick.mixture.stacked("C") == quick.mixture.systems[0].C).all()
        assert not (quick.mixture.stacked("R") * (1 - np.eye(3))).any()


@pytest.mark.parametrize("size", [3.0, 1e30, 1e160])
def test_a_bad_proposal_costs_an_expectation_and_nothing_else(monkeypatch, size):
    data = data_of(mixture_of(1, 2, 1, 3, components=2), 2, 20, 25)
    start = mixture_of(4, 2, 1, 3, components=2)
    plain = fit_mixture_em(data, start, _settings(most_iterations=9))

    def worse(first, second, third):
        return replace(third, systems=tuple(replace(s, A=size * np.eye(2)) for s in third.systems))

    monkeypatch.setattr(f"{MODULE}.extrapolated", worse)
    engine = Counting(NumpyEngine(data))
    fit = fit_mixture_em(data, start, _settings(most_iterations=9, acceleration="squarem"), engine=engine)
    np.testing.assert_array_equal(fit.log_likelihoods, plain.log_likelihoods)
    np.testing.assert_array_equal(fit.mixture.stacked("A"), plain.mixture.stacked("A"))
    assert engine.count == len(fit.log_likelihoods) + 4
