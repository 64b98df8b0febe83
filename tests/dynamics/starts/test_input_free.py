"""Systems without inputs, from the first estimate to EM and to the disk."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from spikeline.artifacts import seed_stream
from spikeline.config.molds import EMSettings, FitSettings, StartSettings
from spikeline.dynamics.em.expectation_maximisation import fit_mixture_em
from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.mixture_files import read_mixture, write_mixture
from spikeline.dynamics.notes import Notes
from spikeline.dynamics.simulated.generator import simulate_mixture
from spikeline.dynamics.starts.input_free import input_free_kmeans
from spikeline.dynamics.starts.start import make_start
from spikeline.dynamics.systems import LinearSystem
from spikeline.dynamics.trajectories import Trajectories
from spikeline.errors import DataError
from tests.dynamics.starts.free_systems import free_systems

WEIGHTS = np.array([0.4, 0.6])


def _data(systems: list[LinearSystem], n: int, steps: int, *, gaps: bool = False) -> Trajectories:
    draw = seed_stream(0, "test-free")
    data = simulate_mixture(systems, WEIGHTS, n, steps, draw, np.zeros((n, steps, 0)))
    if not gaps:
        return data
    observed = draw.uniform(size=data.outputs.shape) > 0.05
    return Trajectories(data.inputs, np.where(observed, data.outputs, np.nan), data.lengths, data.labels, observed)


def _output_covariances(system: LinearSystem, lags: int) -> np.ndarray:
    """Stationary Gamma_0, Gamma_1, ... of a system without inputs, from its matrices."""
    P = np.zeros_like(system.Q)
    for _ in range(2000):
        P = system.A @ P @ system.A.T + system.Q
    gammas, power = [system.C @ P @ system.C.T + system.R], np.eye(len(P))
    for _ in range(1, lags):
        power = system.A @ power
        gammas.append(system.C @ power @ P @ system.C.T)
    return np.stack(gammas)


@pytest.mark.parametrize("gaps", [False, True])
def test_outputs_follow_their_past_as_they_did(gaps):
    systems = free_systems(1, 2, 2, 2)
    data = _data(systems, 300, 120, gaps=gaps)
    settings = FitSettings(start=StartSettings(method="fir_kmeans", noise="residuals"))
    start = make_start(data, 2, 2, settings, 0)
    assert start.method == "fir_kmeans" and start.mixture.n_inputs == 0
    true, found = (
        np.stack([_output_covariances(system, 5) for system in mixture]) for mixture in (systems, start.mixture.systems)
    )
    order = [0, 1] if start.mixture.weights[0] < start.mixture.weights[1] else [1, 0]
    for k in range(2):
        assert np.linalg.norm(found[order][k] - true[k]) < 0.2 * np.linalg.norm(true[k])
    np.testing.assert_allclose(start.mixture.weights[order], WEIGHTS, atol=0.08)


def test_moments_of_no_inputs_fall_back_or_are_refused():
    data = _data(free_systems(1, 2, 2, 2), 60, 40)
    start = make_start(data, 2, 2, FitSettings(), 0)
    assert start.method == "fir_kmeans" and start.notes["fell_back"] == "no inputs"
    with pytest.raises(DataError, match="no inputs"):
        make_start(data, 2, 2, FitSettings(start=StartSettings(fall_back=False)), 0)


@pytest.mark.parametrize("method", ["fir_kmeans", "random"])
def test_em_climbs_and_the_mixture_is_written_and_read(method, tmp_path):
    data = _data(free_systems(1, 2, 2, 2), 150, 50)
    start = make_start(data, 2, 2, FitSettings(start=StartSettings(method=method)), 0)
    fit = fit_mixture_em(data, start.mixture, EMSettings(engine="numpy", most_iterations=10))
    assert (np.diff(fit.log_likelihoods) >= 0).all() and fit.log_likelihoods[-1] > fit.log_likelihoods[0]
    if method == "fir_kmeans":
        assert adjusted_rand_score(data.labels, fit.responsibilities.argmax(axis=1)) > 0.9
    write_mixture(tmp_path / "mixture.h5", fit.mixture)
    again = read_mixture(tmp_path / "mixture.h5")
    assert isinstance(again, Mixture) and again.systems[0].B.shape == (2, 0) and again.systems[0].D.shape == (2, 0)
    np.testing.assert_array_equal(again.stacked("A"), fit.mixture.stacked("A"))


def test_short_trajectories_are_named():
    data = _data(free_systems(1, 2, 2, 2), 10, 5)
    with pytest.raises(DataError, match="trajectories of 5 steps at most for 2 states"):
        input_free_kmeans(data, 2, 2, 0, Notes())
