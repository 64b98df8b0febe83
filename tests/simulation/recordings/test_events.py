"""Spike trains, and spikes cut from the bank."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from spikeline.config.recordings import SpikeTrainSettings
from spikeline.errors import ConfigError, DataError
from spikeline.simulation.recordings.events import (
    check_spike_train,
    cut_snippets,
    draw_rate,
    draw_spike_train,
    match_snippets,
)
from tests.simulation.recordings_fixtures import make_entry

WINDOW = (-3.0, 5.0)


@pytest.mark.parametrize("irregularity", [0.3, 1.0, 1.5])
@pytest.mark.parametrize("bursts", [0.0, 0.3, 0.7])
def test_trains_have_the_asked_statistics(irregularity: float, bursts: float, rng: np.random.Generator) -> None:
    settings = SpikeTrainSettings(irregularity=irregularity, burst_fraction=bursts)
    train = draw_spike_train(8.0, 2000.0, settings, rng)
    gaps = np.diff(train)
    assert train[0] >= 0 and train[-1] < 2000
    assert gaps.min() >= 0.003
    np.testing.assert_allclose(len(train) / 2000, 8, rtol=0.05)
    short = (gaps >= 0.004) & (gaps <= 0.008)
    assert abs(short.mean() - bursts) < 0.12
    if bursts == 0:
        np.testing.assert_allclose((gaps - 0.003).std() / (gaps - 0.003).mean(), irregularity, rtol=0.05)


def test_rates_lie_within_the_bounds_evenly_in_the_logarithm(rng: np.random.Generator) -> None:
    rates = np.array([draw_rate(SpikeTrainSettings(rate_hz=(2.0, 18.0)), rng) for _ in range(2000)])
    assert rates.min() >= 2 and rates.max() <= 18
    np.testing.assert_allclose(np.log(rates).mean(), np.log(6), atol=0.05)


def test_impossible_rates_are_refused(rng: np.random.Generator) -> None:
    with pytest.raises(ConfigError, match="refractory"):
        draw_spike_train(100.0, 10.0, SpikeTrainSettings(refractory_ms=12.0), rng)
    with pytest.raises(ConfigError, match="rate_hz"):
        draw_rate(SpikeTrainSettings(rate_hz=(0.0, 5.0)), rng)


def test_snippets_stand_alone_and_end_at_zero() -> None:
    entry = make_entry()
    snippets = cut_snippets(entry, WINDOW)
    assert snippets.components.shape[1:] == (entry.rank, 81)
    assert snippets.centre == 30
    assert np.all(snippets.components[:, :, [0, -1]] == 0)
    assert snippets.preceding_interval_s.min() > 3e-3
    gaps = np.diff(entry.spike_samples)
    assert len(snippets.components) <= len(entry.spike_samples) - (gaps <= 50).sum()


def test_middle_of_a_snippet_is_the_bank_less_a_straight_line() -> None:
    entry = make_entry()
    snippets = cut_snippets(entry, WINDOW)
    spike = next(
        int(s)
        for s, gap in zip(entry.spike_samples, np.diff(entry.spike_samples, append=10**9), strict=True)
        if gap > 50
    )
    difference = snippets.components[0][:, 5:-5] - entry.components(spike - 30, spike + 51)[:, 5:-5]
    np.testing.assert_allclose(np.diff(difference, n=2, axis=1), 0, atol=2e-5)


def test_a_spike_without_room_is_an_error() -> None:
    entry = make_entry()
    crowded = dataclasses.replace(entry, spike_samples=np.arange(100, 1000, 20))
    with pytest.raises(DataError, match="stands alone"):
        cut_snippets(crowded, WINDOW)
    with pytest.raises(ConfigError, match="snippet_ms"):
        cut_snippets(entry, (-0.5, 5.0))


def test_matched_spikes_have_like_intervals(rng: np.random.Generator) -> None:
    have = np.r_[np.inf, np.exp(rng.uniform(np.log(0.004), np.log(2), 400))]
    train = np.cumsum(np.exp(rng.uniform(np.log(0.006), np.log(1), 300)))
    which = match_snippets(train, have, rng)
    wanted = np.diff(train)
    ratio = np.log(have[which[1:]] / wanted)
    assert np.abs(ratio).max() < 0.35
    assert len(np.unique(which)) > 100, "the same spike is not pasted over and over"
    assert have[which[0]] > 1, "the first spike follows a long pause"


def test_amplitude_after_short_intervals_is_that_of_the_bank(rng: np.random.Generator) -> None:
    """The fixture's spikes shrink by 40 % exp(-interval / 20 ms); pasted ones must, too."""
    entry = make_entry(duration_s=60.0, rate_hz=25.0)
    snippets = cut_snippets(entry, WINDOW)
    train = np.cumsum(np.tile([0.5, 0.012], 200))
    which = match_snippets(train, snippets.preceding_interval_s, rng)
    depth = -snippets.components[which, 0].min(axis=1)
    np.testing.assert_allclose(depth[1::2].mean() / depth[2::2].mean(), 1 - 0.4 * np.exp(-0.6), atol=0.05)


@pytest.mark.parametrize(
    ("train", "complaint"),
    [
        ([1.0, 0.5], "rising"),
        ([0.5, np.nan], "finite"),
        ([-1.0, 0.5], "runs from"),
        ([0.5, 10.0], "runs from"),
        ([[0.5]], "shape"),
    ],
)
def test_bad_trains_are_refused(train: list, complaint: str) -> None:
    with pytest.raises(DataError, match=complaint):
        check_spike_train(np.array(train), 10.0, 3)


def test_empty_train_is_fine(rng: np.random.Generator) -> None:
    assert len(check_spike_train(np.zeros(0), 10.0, 0)) == 0
    assert len(match_snippets(np.zeros(0), np.array([np.inf]), rng)) == 0


@pytest.mark.parametrize(
    ("train", "words"),
    [(["a", "b"], "not a list of numbers"), ([0.1, 0.1], "followed by 0.1"), ([0.2, 0.1], "0.2 s is followed by 0.1")],
)
def test_unusable_trains_are_named(train: list, words: str) -> None:
    with pytest.raises(DataError, match=words):
        check_spike_train(train, 1.0, 0)
