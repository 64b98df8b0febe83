"""What inputs allow is measured, not judged: of good ones, bad ones and short ones."""

import math

import numpy as np
import pytest

from spikeline.artifacts import seed_stream
from spikeline.dynamics.moments.persistency import persistency
from spikeline.dynamics.trajectories import Trajectories


def _measured(inputs: np.ndarray, lags: int = 4, **options: bool):
    lengths = np.full(len(inputs), inputs.shape[1])
    return persistency(Trajectories(inputs, np.ones((*inputs.shape[:2], 1)), lengths), lags, 3, **options)


def _white(n: int = 80, steps: int = 40, m: int = 2) -> np.ndarray:
    return seed_stream(0, "test-persistency").normal(size=(n, steps, m))


def test_white_inputs() -> None:
    found = _measured(_white())
    assert (found.input_lags, found.input_rank, found.input_dimension) == (4, 8, 8)
    assert found.input_condition < 1.5 and found.input_steadiness > 0.9
    assert found.input_correlation < 0.1 and found.trial_locked_share < 0.05


def test_without_feedthrough_there_is_a_lag_less() -> None:
    assert _measured(_white(), feedthrough=False).input_dimension == 6


def test_a_filter_makes_slow_inputs_white() -> None:
    slow = _white()
    for t in range(1, slow.shape[1]):
        slow[:, t] += 0.9 * slow[:, t - 1]
    found = _measured(slow)
    assert found.input_correlation > 0.8 and found.input_filter_order == 1 and found.input_correlation_filtered < 0.1
    assert found.input_condition > 20


@pytest.mark.parametrize(
    ("inputs", "rank"),
    [
        (np.repeat(_white(1), 50, axis=0), 0),  # the same in all
        (np.zeros((50, 30, 2)), 0),
        (_white()[..., :1] * [1.0, 2.0], 4),  # one made of the other
    ],
)
def test_inputs_that_do_not_excite_have_a_rank_too(inputs: np.ndarray, rank: int) -> None:
    found = _measured(inputs)
    assert found.input_rank == rank < found.input_dimension and found.input_condition == math.inf
    assert math.isnan(found.input_correlation) and found.input_filter_order == 0


def test_a_correlation_is_none_above_one() -> None:
    """Inputs that are busy in the middle of short trials: pairs of steps see more of them than single steps do."""
    size = seed_stream(1, "test-persistency").normal(size=(200, 1, 2))
    bump = np.sin(np.pi * np.arange(1, 6) / 6)[:, None]
    found = _measured(size * bump + 0.05 * _white(200, 5))
    assert 0.9 < found.input_correlation <= 1


def test_trajectories_shorter_than_the_response() -> None:
    found = _measured(_white(steps=3), lags=8)
    assert found.input_lags == 3 and found.input_rank == 6
    assert found.input_filter_order == 0 and math.isnan(found.input_correlation_filtered)
