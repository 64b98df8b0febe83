import numpy as np
import pytest

from spikeline.artifacts import seed_stream
from spikeline.simulation.illustration.filtered import band_passed, noise_level
from spikeline.sorting.simsort.evaluation.threshold_detectors import above, threshold_detections
from tests.sorting.simsort.evaluation.conftest import BAND
from tests.sorting.trains import recording_of


@pytest.mark.parametrize(("sign", "exclude_ms"), [("both", 0.5), ("neg", 1.0)])
def test_higher_thresholds_are_the_higher_events(easy, sign, exclude_ms):
    filtered = band_passed(easy[0], BAND)
    noise = noise_level(filtered)
    events, heights = threshold_detections(filtered, noise, sign=sign, lowest=3.0, exclude_ms=exclude_ms)
    for threshold in (4.0, 6.0):
        direct, own = threshold_detections(filtered, noise, sign=sign, lowest=threshold, exclude_ms=exclude_ms)
        chosen = above(events, heights, threshold)
        np.testing.assert_array_equal(chosen.samples, direct.samples)
        np.testing.assert_array_equal(chosen.channels, direct.channels)
        assert len(own) < len(heights) and own.min() >= threshold


def test_against_brute_force_on_one_channel_at_a_time():
    """The largest deviation within the window, of either sign, on whichever channel."""
    traces = seed_stream(1, "test-thresholds").normal(size=(3000, 4)).astype(np.float32)
    reach, threshold = 5, 2.5
    events, heights = threshold_detections(
        recording_of(traces), np.ones(4), sign="both", lowest=threshold, exclude_ms=0.5
    )
    size = np.abs(traces)
    largest = [
        (t, int(size[t].argmax()))
        for t in range(reach + 1, len(traces) - reach - 1)
        if size[t].max() >= threshold and size[t].max() == size[t - reach : t + reach + 1].max()
    ]
    found = list(zip(events.samples.tolist(), events.channels.tolist(), strict=True))
    inside = [event for event in found if reach + 1 <= event[0] < len(traces) - reach - 1]
    # A larger sample that is no extremum of its own (a flank at the window's end) excludes nothing in SpikeInterface.
    assert set(largest) <= set(inside)
    assert len(inside) < 1.1 * len(largest)
    np.testing.assert_allclose(heights, size[events.samples, events.channels])


def test_only_troughs_if_asked_for():
    traces = np.zeros((1000, 4), np.float32)
    traces[300, 1], traces[600, 2] = -10.0, 10.0
    both, _ = threshold_detections(recording_of(traces), np.ones(4), sign="both", lowest=5.0, exclude_ms=0.5)
    troughs, _ = threshold_detections(recording_of(traces), np.ones(4), sign="neg", lowest=5.0, exclude_ms=1.0)
    assert list(zip(both.samples, both.channels, strict=True)) == [(300, 1), (600, 2)]
    assert list(zip(troughs.samples, troughs.channels, strict=True)) == [(300, 1)]
