import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from spikeline.sorting.simsort.evaluation.rand_index import adjusted_rand_index

UNITS = [np.array([0, 0, 1, 1, 1]), np.array([2, 2, 2, 3])]
FOUND = [np.array([0, 0, 1, 1, -1]), np.array([0, 0, 0, 0])]


def test_groups_are_apart_and_no_cluster_is_one_more():
    apart = [1, 1, 2, 2, 0, 3, 3, 3, 3]
    assert adjusted_rand_index(UNITS, FOUND) == pytest.approx(adjusted_rand_score(np.concatenate(UNITS), apart))


def test_units_that_do_not_count_are_left_out():
    counted = np.array([True, False, True, True])
    assert adjusted_rand_index(UNITS, FOUND, counted) == pytest.approx(
        adjusted_rand_score([0, 0, 2, 2, 2, 3], [1, 1, 3, 3, 3, 3])
    )
    assert np.isnan(adjusted_rand_index(UNITS, FOUND, np.zeros(4, bool)))
    assert np.isnan(adjusted_rand_index([], []))
