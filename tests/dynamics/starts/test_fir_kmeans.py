"""Clustering by responses of single trajectories: what it is made of against explicit sums, and what it finds."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d
from sklearn.metrics import adjusted_rand_score

from spikeline.artifacts import seed_stream
from spikeline.config.molds import EMSettings, FitSettings, StartSettings
from spikeline.dynamics.notes import Notes
from spikeline.dynamics.scores.matching import match_components
from spikeline.dynamics.simulated.generator import random_system, simulate_mixture
from spikeline.dynamics.starts.clusters import clusters, settled
from spikeline.dynamics.starts.fir_kmeans import fir_kmeans
from spikeline.dynamics.starts.start import make_start
from spikeline.dynamics.starts.trajectory_regressions import trajectory_regressions
from spikeline.dynamics.systems import markov_parameters
from spikeline.dynamics.trajectories import Trajectories
from spikeline.errors import DataError
from tests.dynamics.mixtures import WEIGHTS, three_component_data

CLUSTERED = FitSettings(start=StartSettings(method="fir_kmeans"))


def _two_systems(n: int, steps: int, *, gaps: bool = False, seed: int = 0) -> Trajectories:
    draw = seed_stream(seed, "test-fir")
    systems = [random_system(2, 2, 2, draw) for _ in range(2)]
    data = simulate_mixture(systems, np.array([0.4, 0.6]), n, steps, draw)
    if not gaps:
        return data
    observed = draw.uniform(size=data.outputs.shape) > 0.3
    outputs = np.where(observed, data.outputs, np.nan)
    return Trajectories(data.inputs, outputs, data.lengths, data.labels, observed)


def _rows(data: Trajectories, i: int, output: int, lags: int) -> tuple[np.ndarray, np.ndarray]:
    """Lagged inputs and known outputs of one trajectory, step by step."""
    rows, values = [], []
    for t in range(lags - 1, data.lengths[i]):
        if data.observed is None or data.observed[i, t, output]:
            rows.append(np.concatenate([data.inputs[i, t - lag] for lag in range(lags)]))
            values.append(data.outputs[i, t, output])
    return np.array(rows), np.array(values)


@pytest.mark.parametrize("gaps", [False, True])
def test_regressions_are_ridge_regressions_on_what_is_known(gaps):
    data, lags = _two_systems(6, 20, gaps=gaps), 3
    data = Trajectories(data.inputs, data.outputs, np.array([20, 20, 14, 20, 9, 20]), data.labels, data.observed)
    made = trajectory_regressions(data, lags)
    differences = made.differences()
    values, vectors = np.linalg.eigh(made.covariance)
    back = (vectors / np.sqrt(values)) @ vectors.T
    group = np.array([0, 2, 3])
    responses = np.stack([made.response_of(group), made.pooled])
    left = np.zeros((6, 2))
    for output in range(2):
        each = [_rows(data, i, output, lags) for i in range(6)]
        v, y = (np.concatenate(parts) for parts in zip(*each, strict=True))
        pooled = np.linalg.solve(v.T @ v + 1e-3 * len(v) * np.eye(6), v.T @ y)
        np.testing.assert_allclose(made.pooled[output], pooled)
        v, y = (np.concatenate(parts) for parts in zip(*(each[i] for i in group), strict=True))
        own = pooled + np.linalg.solve(v.T @ v + 1e-3 * len(v) * np.eye(6), v.T @ (y - v @ pooled))
        np.testing.assert_allclose(responses[0, output], own)
        for i, (v, y) in enumerate(each):
            own = np.linalg.solve(v.T @ v + made.ridge * np.eye(6), v.T @ (y - v @ pooled))
            np.testing.assert_allclose(differences[i, output] @ back, own, atol=1e-9)
            left[i] += [((y - v @ response[output]) ** 2).sum() for response in responses]
    np.testing.assert_allclose(made.squares_left_by(responses), left)


def test_the_ridge_is_the_best_of_generalised_cross_validation():
    data, lags = _two_systems(12, 16), 3
    made = trajectory_regressions(data, lags)
    errors = {}
    for ridge in np.logspace(-3, 4, 29):
        left, used, total = 0.0, 0.0, 0
        for i in range(12):
            v = _rows(data, i, 0, lags)[0]
            hat = v @ np.linalg.solve(v.T @ v + ridge * np.eye(6), v.T)
            for output in range(2):
                e = _rows(data, i, output, lags)[1] - v @ made.pooled[output]
                left += ((e - hat @ e) ** 2).sum()
                used += np.trace(hat)
                total += len(e)
        errors[ridge] = left / (1 - used / total) ** 2
    assert made.ridge == pytest.approx(min(errors, key=errors.get))


def test_a_group_without_trajectories_begins_anew_with_those_explained_worst():
    data = _two_systems(100, 40)
    regressions = trajectory_regressions(data, 5)
    labels = settled(regressions, np.zeros(100, np.int64), 2)
    assert adjusted_rand_score(data.labels, labels) > 0.95
    few = settled(trajectory_regressions(data[:3], 5), np.zeros(3, np.int64), 3)
    assert sorted(few.tolist()) == [0, 1, 2]


def test_trajectories_move_to_the_response_that_leaves_less():
    data = _two_systems(200, 15)
    regressions = trajectory_regressions(data, 5)
    wrong = np.where(np.arange(200) % 4 == 0, 1 - data.labels, data.labels)
    labels = settled(regressions, wrong, 2)
    assert adjusted_rand_score(data.labels, labels) > 0.95 > adjusted_rand_score(data.labels, wrong)
    assert adjusted_rand_score(data.labels, clusters(regressions, 2, 0, Notes())) > 0.8


@pytest.mark.parametrize("feedthrough", [True, False])
def test_short_trials_of_white_inputs(feedthrough):
    draw = seed_stream(1, "test-fir")
    systems = [random_system(2, 2, 2, draw, feedthrough=feedthrough) for _ in range(3)]
    data = simulate_mixture(systems, WEIGHTS, 400, 20, draw)
    start = make_start(data, 3, 2, FitSettings(start=CLUSTERED.start, em=EMSettings(feedthrough=feedthrough)), 0)
    true = np.stack([markov_parameters(system, 6) for system in systems])
    assert start.method == "fir_kmeans" and not start.warnings
    assert match_components(true, start.mixture.responses(6)).markov_error < 0.06
    assert feedthrough or not start.mixture.stacked("D").any()


def test_smooth_inputs_give_responses_that_predict():
    """What smooth inputs do not tell of a response is not asked for: the outputs of the systems are."""
    draw = seed_stream(2, "test-fir")
    systems = [random_system(2, 1, 1, draw, process_noise=1e-3, observation_noise=1e-3) for _ in range(2)]
    inputs = gaussian_filter1d(draw.normal(size=(300, 80, 1)), 2, axis=1)[:, 20:]
    data = simulate_mixture(systems, np.array([0.4, 0.6]), 300, 60, draw, inputs / inputs.std())
    start = make_start(data, 2, 2, FitSettings(), 0)  # moments cannot be had of them
    assert start.method == "fir_kmeans" and "fell_back" in start.notes
    found = start.mixture.responses(60)[:, ::-1, 0, 0]
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(data.inputs[..., 0], ((0, 0), (59, 0))), 60, axis=1)
    left = ((windows @ found.T - data.outputs) ** 2)[:, 20:].sum(axis=1).min(axis=1) / (data.outputs**2).sum(
        axis=(1, 2)
    )
    assert np.median(left) < 0.05


@pytest.mark.filterwarnings("ignore:component")
def test_gaps_do_not_keep_trajectories_from_being_clustered():
    true, data = three_component_data(2, 300, 60)
    observed = seed_stream(3, "test-fir").uniform(size=data.outputs.shape) > 0.3
    gaps = Trajectories(data.inputs, np.where(observed, data.outputs, np.nan), data.lengths, observed=observed)
    start = make_start(gaps, 3, 2, CLUSTERED, 0)
    assert match_components(true, start.mixture.responses(6)).markov_error < 0.05


def test_trials_that_are_too_short_or_too_few_are_named():
    data = _two_systems(5, 4)
    with pytest.raises(DataError, match="trajectories of 4 steps at most for 2 states"):
        fir_kmeans(data, 2, 2, 6, 0, Notes())
    same = Trajectories(np.ones((5, 12, 1)), np.tile(np.arange(12.0)[:, None], (5, 1, 1)), np.full(5, 12))
    with pytest.raises(DataError, match="5 trajectories, 1 of them different, for 2 components"):
        fir_kmeans(same, 2, 1, 4, 0, Notes())
    with pytest.raises(DataError, match="inputs that are zero") as caught:
        make_start(Trajectories(np.zeros_like(data.inputs), data.outputs, data.lengths), 2, 1, CLUSTERED, 0)
    assert "(N, T, 0)" in caught.value.remedy
    missing = Trajectories(
        data.inputs, data.outputs, data.lengths, observed=np.arange(4)[:, None] < np.full((5, 1, 2), 2)
    )
    with pytest.raises(DataError, match="without known outputs"):
        trajectory_regressions(missing, 3)
