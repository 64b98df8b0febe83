"""Matched filtering against correlation by hand, and planted spikes, alone and on top of each other."""

from __future__ import annotations

import numpy as np
import pytest

from spikeline.sorting.simsort.matched_filter import (
    AMPLITUDE_SPREAD,
    MatchedSpikes,
    _amplitude_and_score,
    fractional_taps,
    match_spikes,
)
from spikeline.sorting.simsort.template_bank import TemplateBank
from spikeline.sorting.simsort.template_overlaps import UPSAMPLING
from tests.sorting.simsort.planted import cut, noise, plant, spike_shape, train
from tests.sorting.simsort.sparse_templates import dense

BEFORE, AFTER = 15, 25


def bank_of(units: list[int], energy: float = 300.0, odds: float = 1000.0, falls: float = 0.5) -> TemplateBank:
    templates = np.stack([cut(spike_shape(unit, energy=energy, falls=falls), BEFORE, AFTER) for unit in units])
    return TemplateBank(np.tile(np.arange(4), (len(units), 1)), templates, BEFORE, np.full(len(units), np.log(odds)))


def found(spikes: MatchedSpikes, unit: int, times: np.ndarray, within: float = 0.2) -> np.ndarray:
    """Index of the spike of the unit at each time, -1 where there is none."""
    own = np.flatnonzero(spikes.unit_index == unit)
    if not len(own):
        return np.full(len(times), -1)
    nearest = own[np.abs(spikes.samples[own][None] - np.asarray(times)[:, None]).argmin(axis=1)]
    return np.where(np.abs(spikes.samples[nearest] - times) <= within, nearest, -1)


def test_fractional_taps_read_between_samples() -> None:
    taps = fractional_taps()
    half = taps.shape[1] // 2
    course = lambda at: np.cos(2 * np.pi * 0.15 * at + 0.4)  # noqa: E731
    read = taps @ course(np.arange(-half + 1, half + 1))
    np.testing.assert_allclose(read, course(np.arange(-UPSAMPLING, UPSAMPLING + 1) / UPSAMPLING), atol=0.02)
    np.testing.assert_allclose(taps.sum(axis=1), 1, atol=1e-6)


def test_the_score_is_that_of_the_likeliest_amplitude() -> None:
    prior, sizes = AMPLITUDE_SPREAD**-2, np.arange(0.4, 1.8001, 1e-4)
    for energy in (30.0, 300.0):
        for y in energy * np.array([-0.5, 0.2, 0.7, 1.0, 1.3, 5.0]):  # the first and the last beyond the range
            amplitude, score = _amplitude_and_score(np.float32(y), np.float32(energy), np.float32(prior))
            scores = sizes * y - sizes**2 * energy / 2 - (sizes - 1) ** 2 * prior / 2
            assert amplitude == pytest.approx(sizes[scores.argmax()], abs=1e-4)
            assert score == pytest.approx(scores.max(), rel=1e-4, abs=1e-2)


def test_single_spikes_are_recovered() -> None:
    rng, traces, energy = np.random.default_rng(0), noise(60_000), 1500.0
    bank = bank_of([0, 1, 2], energy)
    planted = []
    for unit in range(3):
        times = np.arange(200 + 100 * unit, 59_800, 300)
        times = times + rng.uniform(-0.5, 0.5, len(times))
        sizes = rng.normal(1, 0.1, len(times))
        plant(traces, spike_shape(unit, energy=energy), times, sizes)
        planted.append((times, sizes))
    spikes = match_spikes(traces, bank)
    assert (np.diff(spikes.samples) >= 0).all()
    for unit, (times, sizes) in enumerate(planted):
        index = found(spikes, unit, times)
        assert (index >= 0).mean() > 0.9 and (found(spikes, unit, times, 0.4) >= 0).mean() > 0.99
        # the larger a spike, the higher its score
        assert np.corrcoef(spikes.scores[index[index >= 0]], sizes[index >= 0])[0, 1] > 0.9
    assert abs(len(spikes.samples) - sum(len(times) for times, _ in planted)) < 5
    # the score of a usual spike is about half its energy
    assert np.median(spikes.scores) == pytest.approx(energy / 2, rel=0.15)


@pytest.mark.parametrize("apart", [0, 1, 3, 10])
def test_spikes_on_top_of_each_other_are_parted(apart: int) -> None:
    times = np.arange(200, 29_800, 200) + 0.25
    # on channels of their own as precisely as single ones; on common channels all of them, but one moves the other
    for falls, within in ((0.1, 0.2), (0.5, 3.0)):
        traces, bank = noise(30_000), bank_of([0, 2], 1500.0, falls=falls)
        for unit, own in ((0, times), (2, times + apart)):
            plant(traces, spike_shape(unit, energy=1500.0, falls=falls), own)
        spikes = match_spikes(traces, bank)
        for unit, own in ((0, times), (1, times + apart)):
            assert (found(spikes, unit, own, within) >= 0).mean() > 0.95
        assert abs(len(spikes.samples) - 2 * len(times)) < 6


@pytest.mark.parametrize("odds", [100.0, 10_000.0])
def test_noise_has_no_more_spikes_than_the_odds_allow(odds: float) -> None:
    # the likelihood ratio of noise has mean 1, so it exceeds the odds at a share of at most 1 / odds of the samples
    n_samples = 100_000
    for energy in (15.0, 60.0):
        spikes = match_spikes(noise(n_samples), bank_of([0], energy, odds))
        assert len(spikes.samples) <= 1.5 * n_samples / odds
    assert len(match_spikes(noise(n_samples), bank_of([0, 1, 2])).samples) == 0


def test_distant_spikes_do_not_matter() -> None:
    traces, bank = noise(20_000), bank_of([0, 1, 2])
    for unit in range(3):
        plant(traces, spike_shape(unit), train(60.0, 6000, unit))
    before = match_spikes(traces, bank)
    plant(traces[7000:], spike_shape(0), train(60.0, 13_000, 5))
    after = match_spikes(traces, bank)
    early_before, early_after = before.samples < 6500, after.samples < 6500
    assert 80 < early_before.sum() < len(after.samples) - 50
    for name in ("samples", "unit_index", "scores"):
        one, other = getattr(before, name)[early_before], getattr(after, name)[early_after]
        np.testing.assert_allclose(one, other, rtol=1e-5)


def greedy(traces: np.ndarray, units: list[int], bank: TemplateBank, refractory: int = 8) -> list[tuple[int, float]]:
    """The definition: always the likeliest spike of all, taken from the traces themselves."""
    left, out = traces.astype(np.float64), []
    fractions = np.arange(-4, 5) / UPSAMPLING
    shifted = [[cut(spike_shape(unit), BEFORE, AFTER, f).astype(np.float64) for f in fractions] for unit in units]
    blocked = np.zeros((len(units), len(traces)), bool)
    prior = 0.15**-2
    while True:
        products = bank.products(left.astype(np.float32)).astype(np.float64)
        energy = bank.energy[:, None].astype(np.float64)
        size = np.clip((products + prior) / (energy + prior), 0.4, 1.8)
        score = size * products - size**2 * energy / 2 - (size - 1) ** 2 * prior / 2 - bank.log_odds[:, None]
        score[blocked] = -np.inf
        unit, at = np.unravel_index(score.argmax(), score.shape)
        if score[unit, at] <= 0:
            return sorted(out)
        values = [(left[at - BEFORE : at + AFTER].T * template).sum() for template in shifted[unit]]
        best = int(np.argmax(values))
        size = np.clip((values[best] + prior) / (energy[unit, 0] + prior), 0.4, 1.8)
        plant(left, spike_shape(units[unit]), np.array([at + fractions[best]]), size)
        plant(left, spike_shape(units[unit]), np.array([at + fractions[best]]), -2 * size)
        blocked[unit, max(0, at - refractory) : at + refractory + 1] = True
        out.append((int(unit), float(at + fractions[best])))


def test_the_greedy_search_is_that_of_its_definition() -> None:
    traces, units = noise(4000), [0, 1, 2]
    for unit in units:
        plant(traces, spike_shape(unit), train(80.0, 4000, unit))
    bank = bank_of(units)
    expected, spikes = greedy(traces, units, bank), match_spikes(traces, bank)
    assert len(expected) > 60
    made = sorted(zip(spikes.unit_index.tolist(), spikes.samples.tolist(), strict=True))
    assert [unit for unit, _ in made] == [unit for unit, _ in expected]
    np.testing.assert_allclose([at for _, at in made], [at for _, at in expected], atol=0.26)


def test_of_silence_nothing_is_left() -> None:
    spikes = match_spikes(np.zeros((500, 4), np.float32), bank_of([0]))
    for name in ("samples", "unit_index", "scores"):
        assert len(getattr(spikes, name)) == 0


def test_on_few_channels_of_many_the_spikes_are_those_of_whole_templates() -> None:
    n_channels, homes = 40, [0, 2, 9, 11, 30]
    shapes = [spike_shape(home, n_channels, falls=0.4) for home in homes]
    traces = noise(20_000, n_channels)
    for seed, shape in enumerate(shapes):
        plant(traces, shape, train(40.0, 20_000, seed))
    channels = np.stack([np.sort(np.arange(home, home + 12) % n_channels) for home in homes])
    waveforms = np.stack([cut(shape, BEFORE, AFTER)[own] for shape, own in zip(shapes, channels, strict=True)])
    odds = np.full(len(homes), np.log(1000.0))
    few = TemplateBank(channels, waveforms, BEFORE, odds)
    everywhere = np.tile(np.arange(n_channels), (len(homes), 1))
    whole = TemplateBank(everywhere, dense(channels, waveforms, n_channels), BEFORE, odds)
    assert len(few.overlaps.rows) < len(whole.overlaps.rows) == len(homes) ** 2
    one, other = match_spikes(traces, few), match_spikes(traces, whole)
    assert len(one.samples) > 300
    np.testing.assert_array_equal(one.unit_index, other.unit_index)
    # sums in another order: of two times that are equally likely either may be taken
    np.testing.assert_allclose(one.samples, other.samples, atol=1 / UPSAMPLING)
    np.testing.assert_allclose(one.scores, other.scores, rtol=1e-2)
