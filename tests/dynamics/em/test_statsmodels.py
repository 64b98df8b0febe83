"""The E-step against the smoother of an independent library, one trajectory of one system at a time."""

import numpy as np
import pytest

from spikeline.config.molds import EMSettings
from spikeline.dynamics.em.engines import make_engine
from spikeline.dynamics.em.kalman_smoother import smooth
from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.simulated.generator import simulate_mixture
from tests.dynamics.em.mixtures import any_system


def _smoothed_by_statsmodels(system, inputs, outputs):
    """statsmodels has intercepts in the place of inputs: B u[t] on the way from t to t + 1, D u[t] at t."""
    from statsmodels.tsa.statespace.kalman_smoother import KalmanSmoother

    n, q = len(system.A), len(system.C)
    model = KalmanSmoother(k_endog=q, k_states=n, k_posdef=n, loglikelihood_burn=0)
    model.bind(np.ascontiguousarray(outputs))
    model["transition"], model["design"], model["selection"] = system.A, system.C, np.eye(n)
    model["state_cov"], model["obs_cov"] = system.Q, system.R
    model["state_intercept"], model["obs_intercept"] = system.B @ inputs.T, system.D @ inputs.T
    model.initialize_known(system.mu, system.S)
    model.tolerance = 0.0  # no steady state: all steps as they are
    return model.smooth()


@pytest.mark.parametrize(("n", "m", "q"), [(2, 2, 2), (3, 1, 2), (1, 2, 3)])
def test_as_statsmodels_smooths(n, m, q):
    system = any_system(n, n, m, q)
    data = simulate_mixture([system], np.ones(1), 3, 25, np.random.default_rng(n))
    ours = smooth(system, data.inputs, data.outputs)
    scored = make_engine(EMSettings(engine="numba"), data).component_log_likelihoods(Mixture((system,), np.ones(1)))[
        :, 0
    ]
    for i in range(3):
        theirs = _smoothed_by_statsmodels(system, data.inputs[i], data.outputs[i])
        assert ours.log_likelihood[i] == pytest.approx(theirs.llf, rel=1e-9)
        assert scored[i] == pytest.approx(theirs.llf, rel=1e-9)
        np.testing.assert_allclose(ours.means[i], theirs.smoothed_state.T, atol=1e-8)
        np.testing.assert_allclose(ours.covariances, theirs.smoothed_state_cov.transpose(2, 0, 1), atol=1e-8)
        # statsmodels has Cov(x[t + 1], x[t]) at t
        theirs_next = theirs.smoothed_state_autocov.transpose(2, 0, 1)[: len(ours.next_covariances)]
        np.testing.assert_allclose(ours.next_covariances, theirs_next, atol=1e-8)
