import numpy as np
import pytest

from spikeline.artifacts import seed_stream
from spikeline.sorting.scoring.matching import count_matches
from spikeline.sorting.simsort.evaluation.detections import (
    FALSE,
    HIT,
    OF_SMALL_UNIT,
    Detections,
    match_detections,
    paired,
)
from spikeline.sorting.simsort.evaluation.truth import Truth

PLACES = np.array([[0.0, 0.0], [20.0, 0.0], [200.0, 0.0]])


def _truth(samples, units, snr=(20.0, 2.0, 20.0), channels=(0, 0, 2)):
    return Truth(
        np.array(samples, np.int64),
        np.array(units, np.int64),
        ["large", "small", "far"],
        np.array(snr, np.float64),
        np.array(channels, np.int64),
    )


def _detections(samples, channels=None):
    channels = np.zeros(len(samples)) if channels is None else channels
    return Detections(np.array(samples, np.int64), np.array(channels, np.int64))


@pytest.mark.parametrize("seed", range(20))
def test_as_many_pairs_as_the_scorer_finds(seed):
    """At one place the scorer's matching, earliest with earliest, has as many pairs as there can be."""
    stream = seed_stream(seed, "test-pairs")
    first, second = (np.sort(stream.integers(0, 2000, count)) for count in stream.integers(0, 300, 2))
    tolerance = int(stream.integers(0, 9))
    partner = paired(first, second, np.zeros((len(first), 2)), np.zeros((len(second), 2)), tolerance)
    of_one_unit = [np.zeros(len(train), np.int64) for train in (first, second)]
    expected = count_matches(first, of_one_unit[0], 1, second, of_one_unit[1], 1, tolerance, one_to_one=True)
    matched = partner[partner >= 0]
    assert len(matched) == expected[0, 0]
    assert len(np.unique(matched)) == len(matched)
    assert (np.abs(second[matched] - first[partner >= 0]) <= tolerance).all()


def test_partners_are_near_in_space_too():
    partner = paired(np.array([10, 10]), np.array([11, 11]), PLACES[[0, 2]], PLACES[[2, 1]], 2)
    assert partner.tolist() == [1, 0]
    assert paired(np.array([10]), np.array([10]), PLACES[[0]], PLACES[[2]], 2).tolist() == [-1]


def test_hits_misses_and_false_alarms():
    truth = _truth([100, 200, 300], [0, 0, 1])
    matched = match_detections(truth, _detections([101, 302, 400]), PLACES, 4, 5.0)
    assert matched.found.tolist() == [True, False, True]
    assert matched.kind.tolist() == [HIT, OF_SMALL_UNIT, FALSE]


def test_a_small_unit_takes_no_detection_from_a_large_one():
    truth = _truth([100, 102], [1, 0])
    matched = match_detections(truth, _detections([100]), PLACES, 4, 5.0)
    assert matched.found.tolist() == [False, True]
    assert matched.kind.tolist() == [HIT]


def test_a_second_detection_of_a_spike_is_false_unless_a_small_unit_fires_there():
    twice = _detections([99, 101])
    assert sorted(match_detections(_truth([100], [0]), twice, PLACES, 4, 5.0).kind) == [HIT, FALSE]
    both = match_detections(_truth([100, 101], [0, 1]), twice, PLACES, 4, 5.0)
    assert sorted(both.kind) == [HIT, OF_SMALL_UNIT]


def test_a_spike_elsewhere_on_the_probe_excuses_nothing():
    matched = match_detections(_truth([100], [2]), _detections([100], [0]), PLACES, 4, 5.0)
    assert matched.kind.tolist() == [FALSE] and not matched.found.any()


def test_nothing_found_and_nothing_to_find():
    assert not match_detections(_truth([5, 9], [0, 1]), _detections([]), PLACES, 4, 5.0).found.any()
    assert match_detections(_truth([], []), _detections([7]), PLACES, 4, 5.0).kind.tolist() == [FALSE]


def test_a_unit_without_snr_is_a_small_one():
    truth = _truth([100], [0], snr=(np.nan, 1.0, 1.0))
    assert match_detections(truth, _detections([100]), PLACES, 4, 5.0).kind.tolist() == [OF_SMALL_UNIT]
