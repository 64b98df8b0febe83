from dataclasses import replace

import numpy as np
import pytest

from spikeline.sorting.simsort.evaluation.detector_events import detector_events
from spikeline.sorting.simsort.evaluation.network_view import network_view, probabilities_of_groups
from spikeline.sorting.simsort.neighbourhoods import Neighbourhoods
from tests.sorting.simsort.evaluation.troughs import troughs_in_turn
from tests.sorting.trains import recording_of


@pytest.mark.parametrize("rate_hz", [10_000.0, 24_000.0, 30_000.0])
def test_events_are_at_times_of_the_recording(networks, rate_hz):
    traces, at = troughs_in_turn(rate_hz)
    view = network_view(recording_of(traces, rate_hz), networks)
    found = detector_events(view, probabilities_of_groups(view, networks)).above(0.5)
    near = found.samples[np.abs(found.samples[:, None] - at).min(axis=1) <= 0.0003 * rate_hz]
    assert len(near) == len(at)
    nearest = np.abs(found.samples[:, None] - at).argmin(axis=0)
    np.testing.assert_array_equal(found.channels[nearest], np.arange(len(at)) % 4)
    assert (np.diff(found.samples) >= 0).all()


def test_a_higher_threshold_finds_fewer(networks, easy):
    view = network_view(easy[0], networks)
    events = detector_events(view, probabilities_of_groups(view, networks))
    counts = [len(events.above(threshold).samples) for threshold in (0.05, 0.5, 0.999)]
    assert counts[0] > counts[1] > counts[2]
    assert len(events.above(1.0).samples) == 0


@pytest.fixture
def two_groups(networks):
    """Six channels 20 um apart, of which the middle two are in both groups; troughs on each channel in turn."""
    traces, at = troughs_in_turn(10_000.0, channels=6)
    view = network_view(recording_of(traces[:, :4], 10_000.0), networks)
    groups = [np.array([0, 1, 2, 3]), np.array([2, 3, 4, 5])]
    hoods = Neighbourhoods(groups, np.array([0, 0, 0, 1, 1, 1]), [np.arange(6), np.arange(6)])
    places = np.array([[0.0, 20.0 * channel] for channel in range(6)])
    return replace(view, traces=traces / 5, neighbourhoods=hoods, locations_um=places), at


def _certain(view, at, levels):
    """Each group's probability: its level where a spike is, on whatever channel, and none elsewhere."""
    probabilities = []
    for level in levels:
        of_group = np.zeros(len(view.traces), np.float32)
        of_group[(at[:, None] + np.arange(-1, 2)).ravel()] = level
        probabilities.append(of_group)
    return probabilities


def test_a_spike_that_two_groups_see_is_one_event_on_its_largest_channel(two_groups):
    view, at = two_groups
    found = detector_events(view, _certain(view, at, (0.9, 0.9))).above(0.5)
    np.testing.assert_array_equal(found.samples, at)
    np.testing.assert_array_equal(found.channels, np.arange(len(at)) % 6)


def test_what_one_group_says_counts_half_where_two_could_see_it(two_groups):
    view, at = two_groups
    events = detector_events(view, _certain(view, at, (0.8, 0.0)))
    by_channel = {channel: events.probabilities[events.channels == channel] for channel in range(6)}
    for channel in (0, 1):
        np.testing.assert_allclose(by_channel[channel], 0.8, rtol=1e-6)
    for channel in (2, 3):
        np.testing.assert_allclose(by_channel[channel], 0.4, rtol=1e-6)
    found = events.above(0.5)
    assert set(found.channels.tolist()) == {0, 1}


def test_no_event_at_all(two_groups):
    view, _ = two_groups
    events = detector_events(view, [np.zeros(len(view.traces), np.float32)] * 2)
    assert len(events.samples) == len(events.above(0.5).samples) == 0
