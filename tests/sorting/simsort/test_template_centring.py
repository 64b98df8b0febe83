"""Trains whose mean spike is a larger unit's are moved to it, and do not keep its spikes from it."""

from __future__ import annotations

import numpy as np
import pytest

from spikeline.config.simsort import SimSortSettings
from spikeline.sorting.simsort.mean_spikes import mean_spikes
from spikeline.sorting.simsort.template_centring import centred
from spikeline.sorting.simsort.template_matching import match_units
from spikeline.sorting.simsort.template_merging import merge_units
from tests.sorting.simsort.planted import RATE_HZ, noise, plant, spike_shape, train

LENGTH = 200_000
LARGE, SMALL = spike_shape(0, energy=700.0), spike_shape(2, energy=60.0)


def overlapping(after: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Traces, a large unit's times, a small one's, and those of the small one that the large one follows at once."""
    traces, large = noise(LENGTH), np.rint(train(10.0, LENGTH)).astype(np.int64)
    small = np.rint(train(6.0, LENGTH, 1)).astype(np.int64)
    together = large[::10] - after
    small = np.unique(np.concatenate([small[np.abs(small[:, None] - large).min(axis=1) > 60], together]))
    plant(traces, LARGE, large.astype(float))
    plant(traces, SMALL, small.astype(float))
    return traces, large, small, np.sort(together)


@pytest.mark.parametrize("after", [17, 22, -12])
def test_a_train_at_anothers_spikes_is_moved_to_them(after: int) -> None:
    traces, large, small, together = overlapping(after)
    alone = np.setdiff1d(small, together)
    trains, means = centred(traces, [large, alone, together])
    np.testing.assert_array_equal(trains[0], large)
    np.testing.assert_array_equal(trains[1], alone)
    assert np.isin(trains[2], large).all() and len(trains[2]) == len(together)
    for mean, there in zip(means, mean_spikes(traces, trains), strict=True):
        np.testing.assert_array_equal(mean.waveform, there.waveform)


@pytest.mark.parametrize("after", [17, 22, -12])
def test_a_large_unit_keeps_its_spikes(after: int) -> None:
    traces, large, small, together = overlapping(after)
    trains = merge_units(*centred(traces, [large, np.setdiff1d(small, together), together]), RATE_HZ)
    found = match_units(traces, trains, RATE_HZ, SimSortSettings())
    assert len(found.channels) == 2
    of_large = np.sort(found.samples[found.unit_index == found.channels.tolist().index(0)])
    near = np.abs(of_large[:, None] - large).min(axis=0) < 2
    assert near.mean() > 0.99 and len(of_large) < 1.02 * len(large)


def test_small_offsets_stay_and_what_would_leave_the_recording_goes() -> None:
    traces = noise(LENGTH)
    times = np.arange(300, LENGTH - 300, 700)
    plant(traces, LARGE, times.astype(float))
    [kept], _ = centred(traces, [times - 5])
    np.testing.assert_array_equal(kept, times - 5)
    [moved], _ = centred(traces, [np.append(times - 20, LENGTH - 1)])
    np.testing.assert_array_equal(moved, times)
