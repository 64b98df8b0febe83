import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_bipartite_matching

from spikeline.artifacts import seed_stream
from spikeline.sorting.scoring.matching import count_matches, matched_spikes, tolerance_in_samples

trains = st.lists(st.integers(0, 60), max_size=25, unique=True).map(sorted).map(np.array)


def _one_pair(true, found, tolerance, one_to_one):
    zeros = [np.zeros(len(train), int) for train in (true, found)]
    true, found = np.asarray(true, int), np.asarray(found, int)
    return count_matches(true, zeros[0], 1, found, zeros[1], 1, tolerance, one_to_one=one_to_one)[0, 0]


@settings(deadline=None)  # the first example compiles
@given(trains, trains, st.integers(0, 6))
def test_time_order_gives_as_many_pairs_as_any_matching(true, found, tolerance):
    near = np.abs(np.subtract.outer(np.asarray(true, int), np.asarray(found, int))) <= tolerance
    best = (maximum_bipartite_matching(csr_matrix(near)) >= 0).sum() if near.size else 0
    assert _one_pair(true, found, tolerance, True) == best


@settings(deadline=None)  # the first example compiles
@given(trains, trains, st.integers(0, 6), st.booleans())
def test_marks_are_the_spikes_that_are_counted(true, found, tolerance, one_to_one):
    true, found = np.asarray(true, int), np.asarray(found, int)
    marks = matched_spikes(true, found, tolerance, one_to_one=one_to_one)
    assert min(marks.sum(), len(found)) == _one_pair(true, found, tolerance, one_to_one)
    for spike in true[marks]:
        assert np.abs(found - spike).min() <= tolerance


@settings(deadline=None)  # the first example compiles
@given(trains, trains, st.integers(0, 6))
def test_one_to_one_is_symmetric_and_never_above_spikeinterface(true, found, tolerance):
    assert _one_pair(true, found, tolerance, True) == _one_pair(found, true, tolerance, True)
    assert _one_pair(true, found, tolerance, True) <= _one_pair(true, found, tolerance, False)


@pytest.mark.parametrize("seed", range(4))
def test_counts_equal_spikeinterface(seed):
    from spikeinterface.comparison.comparisontools import make_match_count_matrix

    from spikeline.sorting.sorting_file import spikes_of
    from tests.sorting.trains import random_sorting

    stream = seed_stream(seed, "test-matching")
    true, found = random_sorting(stream, 4, 4000, 150), random_sorting(stream, 6, 4000, 150)
    (a, i, _), (b, j, _) = spikes_of(true), spikes_of(found)
    for tolerance in (0, 4, 40):
        ours = count_matches(a, i, 4, b, j, 6, tolerance, one_to_one=False)
        np.testing.assert_array_equal(ours, make_match_count_matrix(true, found, tolerance).to_numpy())


def test_refractory_trains_count_the_same_by_both_rules():
    stream = seed_stream(0, "test-matching")
    true = np.cumsum(20 + stream.integers(0, 200, 300))
    found = np.sort(true + stream.integers(-3, 4, 300))
    assert _one_pair(true, found, 4, True) == _one_pair(true, found, 4, False) == 300


@pytest.mark.parametrize(
    ("tolerance_ms", "rate_hz", "samples"),
    [(0.4, 10_000, 4), (0.4, 30_000, 12), (1.0, 24_000, 24), (0.4, 15_000, 6), (1.0, 100, 0)],
)
def test_tolerance_in_samples(tolerance_ms, rate_hz, samples):
    assert tolerance_in_samples(tolerance_ms, rate_hz) == samples
