import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikeline.artifacts import seed_stream
from spikeline.errors import DataError
from spikeline.sorting.simsort.paper.peaks import peaks_of_runs, threshold_peaks

seeds = st.integers(0, 10_000)


def _drawn(seed, n_samples=120, n_channels=3, *, heights=12):
    """Whole numbers, so that equals are frequent."""
    stream = seed_stream(seed, "test-peaks")
    return stream.integers(-heights, heights + 1, (n_samples, n_channels)).astype(float)


def _slow_runs(positive, traces):
    channel = int(np.abs(traces).sum(axis=0).argmax())
    found, run = [], []
    for t in range(len(positive) + 1):
        if t < len(positive) and positive[t]:
            run.append(t)
        elif run:
            found.append(max(run, key=lambda s: abs(traces[s, channel])))
            run = []
    return found


def _slow_threshold(traces, threshold):
    events = []
    for channel in np.abs(traces).T:
        n = len(channel)
        local = [t for t in range(n) if channel[t] > threshold and channel[t] == channel[max(0, t - 5) : t + 6].max()]
        isolated = [t for t in local if all(channel[s] <= channel[t] for s in local if abs(s - t) <= 10)]
        kept = [t for i, t in enumerate(isolated) if not i or t - isolated[i - 1] > 10]
        events += [(t, channel[t]) for t in kept]
    groups = []
    for event in sorted(events, key=lambda e: (e[0], -e[1])):
        if groups and event[0] - groups[-1][0][0] <= 15:
            groups[-1].append(event)
        else:
            groups.append([event])
    return [max(group, key=lambda e: (e[1], -e[0]))[0] for group in groups]


@given(seeds, st.floats(0, 1))
def test_runs_are_those_of_the_slow_reference(seed, share):
    traces = _drawn(seed)
    positive = seed_stream(seed, "test-positive").random(len(traces)) < share
    assert peaks_of_runs(positive, traces).tolist() == _slow_runs(positive, traces)


def test_all_runs_are_timed_on_the_loudest_channel():
    traces = np.zeros((40, 2))
    traces[5:10, 0] = [1, 2, -9, 2, 1]  # channel 0 is loudest in sum
    traces[6, 1] = 8
    traces[20:25, 1] = [0, 0, 0, 7, 0]
    traces[21, 0] = 0.1
    positive = np.zeros(40, bool)
    positive[5:10] = positive[20:25] = True
    assert peaks_of_runs(positive, traces).tolist() == [7, 21]


def test_no_run_no_peak():
    assert peaks_of_runs(np.zeros(10, bool), _drawn(0, 10)).tolist() == []


@pytest.mark.wrong_arrays
def test_labels_of_another_length_are_refused():
    with pytest.raises(DataError, match="labels of 9 samples"):
        peaks_of_runs(np.zeros(9, bool), _drawn(0, 10))


@given(seeds, st.sampled_from([3.0, 6.0, 10.0]))
def test_threshold_peaks_are_those_of_the_slow_reference(seed, threshold):
    traces = _drawn(seed)
    assert threshold_peaks(traces, threshold=threshold).tolist() == _slow_threshold(traces, threshold)


@given(seeds)
def test_threshold_peaks_do_not_know_signs_nor_the_order_of_channels(seed):
    traces = seed_stream(seed, "test-signs").standard_normal((200, 4)) * 4  # no equals
    found = threshold_peaks(traces)
    np.testing.assert_array_equal(threshold_peaks(-traces), found)
    np.testing.assert_array_equal(threshold_peaks(traces[:, ::-1]), found)
    assert (np.diff(found) > 0).all()


def test_spikes_of_several_channels_are_one_at_the_highest():
    traces = np.zeros((200, 3))
    traces[50, 0], traces[55, 1], traces[65, 2], traces[66, 1] = 8, -20, 10, 7
    # 65 lies within 15 samples of the first event, 66 does not.
    assert threshold_peaks(traces).tolist() == [55, 66]
    traces[120:125, 0] = 9
    assert threshold_peaks(traces).tolist() == [55, 66, 120]


def test_what_is_not_above_the_threshold_is_no_spike():
    traces = np.zeros((50, 2))
    traces[20, 1] = 6
    assert threshold_peaks(traces).tolist() == []
    with pytest.raises(DataError, match="a threshold of 0"):
        threshold_peaks(traces, threshold=0)
