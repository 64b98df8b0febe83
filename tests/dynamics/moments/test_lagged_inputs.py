import numpy as np
import pytest

from spikeline.dynamics.moments.lagged_inputs import lagged_inputs


@pytest.mark.parametrize("first_lag", [0, 1])
def test_lagged_inputs_are_newest_first(first_lag):
    inputs = np.arange(2 * 7 * 2, dtype=float).reshape(2, 7, 2)
    rows = lagged_inputs(inputs, 3, first_lag)
    assert rows.shape == (2, 5 - first_lag, 6)
    for row in range(rows.shape[1]):
        t = row + 3 + first_lag - 1
        expected = np.concatenate([inputs[:, t - first_lag - lag] for lag in range(3)], axis=1)
        np.testing.assert_array_equal(rows[:, row], expected)
    assert lagged_inputs(inputs, 8).shape == (2, 0, 16)
