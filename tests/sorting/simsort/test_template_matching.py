"""All spikes of units known by some of them: the same for any threads, once at borders, of moving units too."""

from __future__ import annotations

import numpy as np
import pytest

from spikeline.config.simsort import SimSortSettings
from spikeline.sorting.simsort import template_matching
from spikeline.sorting.simsort.template_matching import MatchedUnits, match_units
from tests.sorting.simsort.planted import RATE_HZ, noise, plant, spike_shape, train

SETTINGS = SimSortSettings()
LENGTH = 300_000
BORDERS = np.arange(20_000, LENGTH, 20_000)


def recording(n_channels: int = 4) -> tuple[np.ndarray, list[np.ndarray]]:
    """Two units; the first fires at the borders of all blocks, a little to the left and right of them."""
    traces = noise(LENGTH, n_channels)
    at_borders = np.sort(np.concatenate([train(8.0, LENGTH), BORDERS + np.resize([-0.5, -0.25, 0, 0.25], 14)]))
    trains = [at_borders[np.diff(at_borders, prepend=-100) > 30], train(12.0, LENGTH, 1)]
    for unit, times in enumerate(trains):
        plant(traces, spike_shape(unit, n_channels, 400.0), times)
    return traces, trains


def half_of(times: np.ndarray) -> np.ndarray:
    return np.rint(times[::2]).astype(np.int64)


def hits(matched: MatchedUnits, unit: int, times: np.ndarray) -> np.ndarray:
    """How many spikes of a unit lie within a sample of every time."""
    own = matched.samples[matched.unit_index == unit]
    return (np.abs(own[None] - times[:, None]) < 1).sum(axis=1)


@pytest.fixture(scope="module")
def matched() -> tuple[MatchedUnits, list[np.ndarray]]:
    traces, trains = recording()
    return match_units(traces, [half_of(times) for times in trains], RATE_HZ, SETTINGS), trains


def test_all_spikes_are_found_once_at_borders_too(matched: tuple[MatchedUnits, list[np.ndarray]]) -> None:
    result, trains = matched
    assert (np.diff(result.samples) >= 0).all()
    for unit, times in enumerate(trains):
        count = hits(result, unit, times)
        assert (count <= 1).all() and (count == 1).mean() > 0.97
        assert abs((result.unit_index == unit).sum() - len(times)) < 0.03 * len(times)
    near = np.abs(trains[0][:, None] - BORDERS).min(axis=1) < 1
    assert near.sum() > 8 and (hits(result, 0, trains[0][near]) == 1).all()
    assert (result.scores > 0).all()
    np.testing.assert_array_equal(result.channels, [0, 1])


def test_threads_change_nothing(matched: tuple[MatchedUnits, list[np.ndarray]]) -> None:
    traces, trains = recording()
    other = match_units(traces, [half_of(times) for times in trains], RATE_HZ, SETTINGS, threads=3)
    for name in ("samples", "unit_index", "scores", "channels"):
        np.testing.assert_array_equal(getattr(matched[0], name), getattr(other, name))


def test_a_unit_that_moves_is_followed() -> None:
    traces, times = noise(LENGTH), train(20.0, LENGTH)
    way = times / LENGTH
    plant(traces, spike_shape(0, energy=250.0), times, 1 - way)
    plant(traces, spike_shape(2, energy=250.0), times, way)
    result = match_units(traces, [half_of(times)], RATE_HZ, SETTINGS)
    assert len(result.channels) == 1
    count = hits(result, 0, times)
    assert (count == 1).mean() > 0.93
    assert (result.scores > 0).all() and len(result.samples) < 1.05 * len(times)


def test_a_unit_given_twice_is_reported_once() -> None:
    traces, trains = recording()
    even, odd = (np.rint(trains[1][start::2]).astype(np.int64) for start in (0, 1))
    result = match_units(traces, [half_of(trains[0]), even, odd], RATE_HZ, SETTINGS)
    assert len(result.channels) == 2


def test_what_is_too_weak_or_too_rare_is_no_unit() -> None:
    traces = noise(LENGTH)
    rng = np.random.default_rng(0)
    weak = np.sort(rng.choice(np.arange(100, LENGTH - 100), 60, replace=False))  # an average of noise
    rare = np.arange(1, 6) * 50_000
    plant(traces, spike_shape(1, energy=400.0), rare)
    for trains in ([weak, rare], []):
        result = match_units(traces, trains, RATE_HZ, SETTINGS)
        assert len(result.samples) == len(result.unit_index) == len(result.scores) == len(result.channels) == 0


def test_progress_adds_up_to_one() -> None:
    traces, trains = recording()
    shares: list[float] = []
    match_units(traces[:60_000], [train[train < 59_000] for train in map(half_of, trains)], RATE_HZ, SETTINGS,
                advance=shares.append)  # fmt: skip
    assert sum(shares) == pytest.approx(1)


def test_after_the_last_round_the_units_are_those_that_were_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """A merge in every round: what the last one puts together is one unit, with the spikes of both."""
    traces, trains = noise(100_000), [train(10.0, 100_000, unit) for unit in range(4)]
    for unit, times in enumerate(trains):
        plant(traces, spike_shape(unit, energy=900.0), times)
    left = []

    def always(trains: list[np.ndarray], means: object, sampling_rate_hz: float) -> list[np.ndarray]:
        merged = [np.sort(np.concatenate(trains[:2])), *trains[2:]]
        left.append(len(merged))
        return merged

    monkeypatch.setattr(template_matching, "merge_units", always)
    monkeypatch.setattr(template_matching, "_FEWEST_ROUNDS", 1)
    monkeypatch.setattr(template_matching, "_MOST_ROUNDS", 2)
    shares: list[float] = []
    result = match_units(traces, [half_of(times) for times in trains], RATE_HZ, SETTINGS, advance=shares.append)
    assert left == [3, 2]
    assert len(result.channels) == 2 == len(np.unique(result.unit_index))
    assert sum(shares) == pytest.approx(1)


def test_a_unit_given_twice_is_reported_once_after_a_single_round(monkeypatch: pytest.MonkeyPatch) -> None:
    traces, trains = recording()
    even, odd = (np.rint(trains[1][start::2]).astype(np.int64) for start in (0, 1))
    monkeypatch.setattr(template_matching, "_MOST_ROUNDS", 1)
    result = match_units(traces, [half_of(trains[0]), even, odd], RATE_HZ, SETTINGS)
    assert len(result.channels) == 2
    for unit, times in enumerate(trains):
        assert (hits(result, unit, times) == 1).mean() > 0.97


def test_among_many_channels_moving_and_still_units_are_found_whatever_the_threads() -> None:
    n_channels, length = 40, 100_000
    traces, trains = noise(length, n_channels), [train(20.0, length, unit) for unit in range(3)]
    plant(traces, spike_shape(3, n_channels, 400.0), trains[0])
    way = trains[1] / length
    plant(traces, spike_shape(8, n_channels, 500.0), trains[1], 1 - way)  # passes the first, and ends near the third
    plant(traces, spike_shape(11, n_channels, 500.0), trains[1], way)
    plant(traces, spike_shape(30, n_channels, 400.0), trains[2])
    one, other = (
        match_units(traces, [half_of(times) for times in trains], RATE_HZ, SETTINGS, threads=threads)
        for threads in (1, 3)
    )
    for name in ("samples", "unit_index", "scores", "channels"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert one.channels.tolist()[::2] == [3, 30] and 8 <= one.channels[1] <= 11
    for unit, times in enumerate(trains):
        assert (hits(one, unit, times) == 1).mean() > 0.93
