"""Units made of two others' overlapping spikes go; rare neurons stay."""

from __future__ import annotations

import numpy as np
import pytest

from spikeline.config.simsort import SimSortSettings
from spikeline.sorting.simsort import template_matching
from spikeline.sorting.simsort.matched_filter import MatchedSpikes
from spikeline.sorting.simsort.overlap_units import units_of_overlaps
from spikeline.sorting.simsort.template_matching import MatchedUnits, match_units
from spikeline.sorting.simsort.templates import track_template
from tests.sorting.simsort.planted import RATE_HZ, noise, plant, spike_shape, train

SETTINGS = SimSortSettings()
LENGTH = 300_000
BLOCK = 20_000
LAG = 4


@pytest.fixture(scope="module")
def often() -> list[np.ndarray]:
    """Two neurons of 60 spikes a second."""
    return [train(60.0, LENGTH, seed) for seed in (3, 4)]


@pytest.fixture(scope="module")
def busy(often: list[np.ndarray]) -> np.ndarray:
    traces = noise(LENGTH)
    for unit, times in enumerate(often):
        plant(traces, spike_shape(unit), times)
    return traces


def overlaps_of(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Spikes of the first with one of the second about four samples later."""
    after = second[None] - first[:, None]
    return first[(np.abs(after - LAG) <= 1).any(axis=1)]


def hits(result: MatchedUnits, unit: int, times: np.ndarray) -> float:
    own = result.samples[result.unit_index == unit]
    return float((np.abs(own[None] - times[:, None]).min(axis=1) < 2).mean())


def test_a_cluster_of_overlaps_is_no_unit(busy: np.ndarray, often: list[np.ndarray], monkeypatch) -> None:
    together = overlaps_of(*often)
    assert len(together) >= SETTINGS.fewest_spikes
    trains = [*(times[::3] for times in often), together]
    result = match_units(busy, trains, RATE_HZ, SETTINGS)
    assert len(result.channels) == 2
    assert all(hits(result, unit, times) > 0.97 for unit, times in enumerate(often))
    monkeypatch.setattr(
        template_matching, "units_of_overlaps", lambda traces, tracks, *rest: np.zeros(len(tracks), bool)
    )
    assert len(match_units(busy, trains, RATE_HZ, SETTINGS).channels) == 3  # nothing else would have seen it


def test_a_rare_neuron_stays(busy: np.ndarray, often: list[np.ndarray]) -> None:
    traces, rare = busy.copy(), train(1.5, LENGTH, 9)
    plant(traces, spike_shape(3), rare)
    result = match_units(traces, [*(times[::3] for times in often), rare], RATE_HZ, SETTINGS)
    assert len(result.channels) == 3
    assert hits(result, 2, rare) > 0.9


def test_what_is_more_than_chance_makes_stays() -> None:
    """A neuron whose spike looks like those of two others at once, which fire too rarely to have met so often."""
    often = [train(12.0, LENGTH, seed) for seed in (3, 4)]
    own = train(2.5, LENGTH, 9)
    traces = noise(LENGTH)
    for unit, times in enumerate(often):
        plant(traces, spike_shape(unit), times)
        plant(traces, spike_shape(unit), own + LAG * unit)
    assert dropped(traces, [*often, own]) == [False, False, False]


def test_only_units_on_common_channels_are_parts(busy: np.ndarray, often: list[np.ndarray]) -> None:
    together = overlaps_of(*often)
    assert dropped(busy, [*often, together]) == [False, False, True]
    apart = np.concatenate([busy, noise(LENGTH, 4, seed=5)], axis=1)
    here, there = [0, 1, 2, 3], [4, 5, 6, 7]
    assert dropped(apart, [*often, together], [here, here, here]) == [False, False, True]
    assert dropped(apart, [*often, together], [here, there, here]) == [False, False, False]


def test_without_spikes_or_away_from_the_ends_nothing_is_asked(busy: np.ndarray, often: list[np.ndarray]) -> None:
    at_the_ends = np.array([10, LENGTH - 10])
    assert dropped(busy, [*often, at_the_ends]) == [False, False, False]
    assert dropped(busy, [*often, overlaps_of(*often)], spikes=[*often, np.empty(0, np.int64)]) == [False, False, False]


def dropped(traces, trains, channels=None, spikes=None) -> list[bool]:
    """Of units with these templates and spikes."""
    middles = (np.arange(LENGTH // BLOCK) + 0.5) * BLOCK / RATE_HZ
    tracks = []
    for unit, times in enumerate(trains):
        on = np.arange(traces.shape[1]) if channels is None else np.array(channels[unit])
        track = track_template(np.ascontiguousarray(traces[:, on]), times, RATE_HZ, middles)
        tracks.append(type(track)(on[track.channels], track.waveforms, track.n_spikes, track.bandwidth_s))
    spikes = trains if spikes is None else spikes
    samples = np.concatenate(spikes).astype(np.float64)
    found = MatchedSpikes(
        samples, np.repeat(np.arange(len(spikes)), [len(own) for own in spikes]), np.ones(len(samples))
    )
    odds = np.array([np.log(LENGTH / len(times)) for times in trains])
    return units_of_overlaps(traces, tracks, found, odds, BLOCK).tolist()
