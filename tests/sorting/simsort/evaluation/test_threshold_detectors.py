import numpy as np
import pytest

from spikeline.artifacts import seed_stream
from spikeline.simulation.illustration.filtered import band_passed, noise_level
from spikeline.sorting.simsort.evaluation.network_view import NetworkView
from spikeline.sorting.simsort.evaluation.threshold_detectors import (
    above,
    published_detections,
    threshold_detections,
)
from spikeline.sorting.simsort.neighbourhoods import make_neighbourhoods
from spikeline.sorting.simsort.paper.peaks import threshold_peaks
from spikeline.sorting.simsort.whitened import Resampling
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


def _view(traces: np.ndarray, pitch_um: float) -> NetworkView:
    """Channels in a row at 20 kHz, seen at 10 kHz."""
    places = np.stack([np.zeros(traces.shape[1]), pitch_um * np.arange(traces.shape[1])], axis=1)
    resampling = Resampling(20_000.0, 10_000.0, 3000.0)
    return NetworkView(traces, resampling, make_neighbourhoods(places), 2 * len(traces), places)


def test_the_published_detector_sees_a_tetrode_in_multiples_of_its_noise():
    noise = np.array([1.0, 2.0, 1.0, 0.5])
    view = _view((seed_stream(2, "test-published").normal(size=(3000, 4)) * noise).astype(np.float32), 13.0)
    found = published_detections(view, noise, 3.0)
    size = np.abs(view.traces) / noise.astype(np.float32)
    peaks = threshold_peaks(size, threshold=3.0)
    assert len(peaks) > 10
    np.testing.assert_array_equal(found.samples, view.to_source(peaks))
    np.testing.assert_array_equal(found.channels, size[peaks].argmax(axis=1))


def test_the_published_detector_takes_spikes_of_one_time_far_apart_for_two_and_near_ones_for_one():
    traces = np.zeros((1000, 12), np.float32)
    traces[500, 1], traces[502, 2], traces[503, 10] = 9.0, 7.0, -8.0
    found = published_detections(_view(traces, 40.0), np.ones(12), 6.0)
    assert list(zip(found.samples.tolist(), found.channels.tolist(), strict=True)) == [(1000, 1), (1006, 10)]
    assert not len(published_detections(_view(traces, 40.0), np.ones(12), 9.5).samples)
