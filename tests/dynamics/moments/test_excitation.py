"""What is wrong with inputs is named, with a remedy."""

import numpy as np
import pytest

from spikeline.artifacts import seed_stream
from spikeline.dynamics.moments.excitation import excitation
from spikeline.dynamics.moments.trial_locked import without_trial_locked
from spikeline.dynamics.trajectories import Trajectories
from spikeline.errors import DataError

LAGS = 4


def _white(n: int = 60, steps: int = 30, m: int = 2, seed: int = 0) -> np.ndarray:
    return seed_stream(seed, "test-excitation").normal(size=(n, steps, m))


def _data(inputs: np.ndarray, lengths: np.ndarray | None = None) -> Trajectories:
    lengths = np.full(len(inputs), inputs.shape[1]) if lengths is None else lengths
    return Trajectories(inputs, np.ones((*inputs.shape[:2], 1)), lengths)


def _excitation(inputs: np.ndarray, first_lag: int = 0):
    return excitation(without_trial_locked(_data(inputs)), LAGS, first_lag)


@pytest.mark.parametrize("first_lag", [0, 1])
def test_white_inputs_of_any_units_excite_everything(first_lag):
    found = _excitation(_white() * [1e-6, 1e4] + [3.0, -1e5], first_lag)
    assert (found.rank, found.dimension) == (8, 8)
    assert 1 <= found.condition < 2 and found.steadiness > 0.9


def test_condition_is_that_of_the_covariance_of_lagged_inputs():
    inputs = _white(5, 9, 1)
    rows = [inputs[i, t - LAGS + 1 : t + 1, 0][::-1] for i in range(5) for t in range(LAGS - 1, 9)]
    rows = np.array(rows) - inputs.mean()
    values = np.linalg.eigvalsh(rows.T @ rows)
    found = excitation(without_trial_locked(_data(inputs)), LAGS)
    assert found.condition == pytest.approx(values[-1] / values[0])


def _same_in_all() -> np.ndarray:
    return np.repeat(_white()[:1], 60, axis=0)


def _second_is_a_cue() -> np.ndarray:
    inputs = _white()
    inputs[..., 1] = inputs[0, :, 1]
    return inputs


def _second_constant() -> np.ndarray:
    inputs = _white()
    inputs[..., 1] = 1e5 + 0.1
    return inputs


def _combination() -> np.ndarray:
    inputs = _white(m=3)
    inputs[..., 2] = 1e3 * inputs[..., 0] + 2
    return inputs


def _held_in_each_trial() -> np.ndarray:
    return np.repeat(_white(steps=1), 30, axis=1)


def _one_frequency() -> np.ndarray:
    """Sine, cosine and, less the mean, a constant: three dimensions."""
    draw = seed_stream(1, "test-excitation")
    phases = draw.uniform(0, 2 * np.pi, size=(60, 1, 1))
    return np.sin(0.3 * np.arange(30.0)[None, :, None] + phases)


def _pulse_at_one_step() -> np.ndarray:
    inputs = 0.01 * _white()
    inputs[:, 10] = _white(steps=1)[:, 0]
    return inputs


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (np.zeros((4, 20, 0)), "no inputs"),
        (_same_in_all(), "input 0 is the same in each of 60 trajectories"),
        (_second_is_a_cue(), "input 1 is the same in each of 60 trajectories"),
        (np.full((60, 30, 1), 2.5), "input 0 is constant"),
        (_second_constant(), "input 1 is constant"),
        (_combination(), "inputs 0, 2 are combinations of one another"),
        (_held_in_each_trial(), "lagged inputs of rank 2\n  expected: rank 8"),
        (_one_frequency(), "lagged inputs of rank 3\n  expected: rank 4"),
        (_pulse_at_one_step(), "vary at few steps"),
    ],
)
def test_what_does_not_excite_is_named(inputs, message):
    with pytest.raises(DataError, match=message) as caught:
        _excitation(inputs)
    assert "start.method: fir_kmeans" in caught.value.remedy


def test_the_trial_locked_part_is_taken_out_where_it_is_more_than_chance():
    own, cue = _white(m=1), _white(1, m=1, seed=1)
    locked = without_trial_locked(_data(own + 2 * cue))
    assert locked.removed and 0.6 < locked.share < 0.9 and locked.chance == pytest.approx(1 / 60)
    np.testing.assert_allclose(locked.trajectories.inputs, own - own.mean(axis=0), atol=1e-12)
    free = without_trial_locked(_data(own))
    assert not free.removed and free.share < 0.03
    np.testing.assert_allclose(free.trajectories.inputs, own - own.mean(), atol=1e-12)


def test_one_trajectory_keeps_its_inputs():
    own = without_trial_locked(_data(_white(1)))
    assert not own.removed and own.trajectories.inputs.std() > 0.5
    assert excitation(own, LAGS).steadiness == 1.0


def test_means_are_those_of_what_is_known():
    inputs, lengths = _white(3, 6, 1), np.array([6, 4, 6])
    outputs = seed_stream(2, "test-excitation").normal(size=(3, 6, 1)) + 5
    observed = np.ones((3, 6, 1), bool)
    observed[0, 2] = False
    outputs[0, 2], outputs[1, 4:], inputs[1, 4:] = np.nan, np.nan, np.nan
    made = without_trial_locked(Trajectories(inputs, outputs, lengths, observed=observed)).trajectories
    known = observed.copy()
    known[1, 4:] = False
    np.testing.assert_allclose(made.outputs[known], outputs[known] - outputs[known].mean())
    assert made.outputs[0, 2, 0] == 0 and not made.inputs[1, 4:].any()
