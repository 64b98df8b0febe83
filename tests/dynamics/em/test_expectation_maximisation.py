import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from spikeline.artifacts import seed_stream
from spikeline.config.molds import EMSettings
from spikeline.dynamics.em.expectation_maximisation import fit_mixture_em
from spikeline.dynamics.em.kalman_smoother import smooth
from spikeline.dynamics.em.sufficient_statistics import maximised, sufficient_statistics
from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.moments.ustat_moments import ustat_second_moment, ustat_third_moment
from spikeline.dynamics.scores.matching import match_components
from spikeline.dynamics.simulated.generator import random_system, simulate_mixture
from spikeline.dynamics.starts.ho_kalman import realise
from spikeline.dynamics.starts.noise_initialisation import with_noise_from_residuals
from spikeline.dynamics.systems import LinearSystem
from spikeline.dynamics.tensor.mixture_responses import mixture_responses
from spikeline.dynamics.tensor.tensor_decomposition import simultaneous_diagonalisation
from spikeline.dynamics.tensor.whitening import whitened_directions
from spikeline.dynamics.trajectories import Trajectories
from spikeline.errors import NumericalError
from tests.dynamics.mixtures import three_component_data, three_systems


def _numpy(**changed) -> EMSettings:
    return EMSettings(engine="numpy", **changed)


def _expected_log_likelihood(system: LinearSystem, states, inputs, outputs, weights) -> float:
    """Expectation of log p(x, y | u) over the smoothed states, term by term."""
    total = 0.0
    for i, weight in enumerate(weights):
        for t in range(inputs.shape[1]):
            m, V = states.means[i, t], states.covariances[t]
            error = outputs[i, t] - system.C @ m - system.D @ inputs[i, t]
            spread = np.outer(error, error) + system.C @ V @ system.C.T
            total -= 0.5 * weight * (np.trace(np.linalg.solve(system.R, spread)) + np.linalg.slogdet(system.R)[1])
            if t == 0:
                off = m - system.mu
                total -= 0.5 * weight * np.trace(np.linalg.solve(system.S, np.outer(off, off) + V))
                total -= 0.5 * weight * np.linalg.slogdet(system.S)[1]
                continue
            before, lag = states.covariances[t - 1], states.next_covariances[t - 1]
            off = m - system.A @ states.means[i, t - 1] - system.B @ inputs[i, t - 1]
            spread = np.outer(off, off) + V + system.A @ before @ system.A.T - system.A @ lag.T - lag @ system.A.T
            total -= 0.5 * weight * (np.trace(np.linalg.solve(system.Q, spread)) + np.linalg.slogdet(system.Q)[1])
    return float(total)


@pytest.mark.parametrize("feedthrough", [True, False])
def test_no_other_matrices_have_a_larger_expected_likelihood(feedthrough):
    draw = seed_stream(0, "test-em")
    system = random_system(2, 1, 2, draw, feedthrough=feedthrough)
    data = simulate_mixture([system], np.ones(1), 5, 12, draw)
    weights = draw.uniform(size=5)
    states = smooth(system, data.inputs, data.outputs)
    best, raised = maximised(
        sufficient_statistics(states, data.inputs, data.outputs, weights), 1e-12, feedthrough=feedthrough
    )
    assert not raised and (feedthrough or not best.D.any())
    parts = {name: getattr(best, name) for name in ("A", "B", "C", "D", "Q", "R", "mu", "S")}
    top = _expected_log_likelihood(best, states, data.inputs, data.outputs, weights)
    for name in parts:
        if name == "D" and not feedthrough:
            continue
        for _ in range(6):
            change = 1e-3 * draw.normal(size=parts[name].shape)
            if name in "QRS":
                change = parts[name] @ (change + change.T)
                change = (change + change.T) / 2
            other = LinearSystem(**{**parts, name: parts[name] + change})
            assert _expected_log_likelihood(other, states, data.inputs, data.outputs, weights) <= top


def test_statistics_of_several_lengths_add_up():
    draw = seed_stream(1, "test-em")
    system = random_system(2, 1, 1, draw)
    data = simulate_mixture([system], np.ones(1), 6, 20, draw)
    lengths = np.array([20, 20, 14, 14, 20, 14])
    mixed = Trajectories(data.inputs, data.outputs, lengths)
    outputs = data.outputs.copy()
    outputs[~mixed.inside()] = np.nan
    padded = Trajectories(data.inputs, outputs, lengths)
    fit = fit_mixture_em(padded, Mixture((system,), np.ones(1)), _numpy(most_iterations=3))
    expected = sum(
        smooth(system, data.inputs[[i], :length], data.outputs[[i], :length]).log_likelihood[0]
        for i, length in enumerate(lengths)
    )
    assert fit.log_likelihoods[0] == pytest.approx(expected)
    assert (np.diff(fit.log_likelihoods) > 0).all() and not fit.converged


def test_a_likelihood_that_falls_is_an_error(monkeypatch):
    systems = three_systems(2)
    _, data = three_component_data(2, 40, 30)

    def wrong(statistics, floor, *, feedthrough):
        return systems[0], False

    monkeypatch.setattr("spikeline.dynamics.em.expectation_maximisation.maximised", wrong)
    with pytest.raises(NumericalError, match="fell from"):
        fit_mixture_em(data, Mixture(tuple(systems), np.full(3, 1 / 3)), _numpy())


def test_outputs_without_bounds_are_an_error():
    systems = three_systems(2)
    _, data = three_component_data(2, 10, 20)
    huge = Trajectories(data.inputs, data.outputs * 1e200, data.lengths)
    with np.errstate(all="ignore"), pytest.raises(NumericalError, match="log-likelihood is"):
        fit_mixture_em(huge, Mixture(tuple(systems), np.full(3, 1 / 3)), _numpy())


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.filterwarnings("ignore:component")
def test_moments_first_then_em_finds_the_mixture(seed):
    true, data = three_component_data(seed, 400, 60)
    whitening = whitened_directions(ustat_second_moment(data, 6).value, 3)
    third = ustat_third_moment(data, 6, whitening.forward).value
    draw = seed_stream(seed, "test-smd")
    found = mixture_responses(whitening, third, lambda T: simultaneous_diagonalisation(T, draw), 1, 1)
    start = with_noise_from_residuals([realise(g, 2) for g in found.markov], data)
    fit = fit_mixture_em(data, Mixture(tuple(start), found.weights), _numpy())
    assert (np.diff(fit.log_likelihoods) > -1e-8 * data.outputs.size).all()
    match = match_components(true, fit.mixture.responses(6))
    assert match.markov_error < 0.03
    assert adjusted_rand_score(data.labels, fit.responsibilities.argmax(axis=1)) > 0.99
