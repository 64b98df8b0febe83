"""Templates: the plain mean of a unit that stays, and one per block of a unit that moves."""

from __future__ import annotations

import numpy as np
import pytest

from spikeline.sorting.simsort.snippets import cut_snippets
from spikeline.sorting.simsort.templates import (
    TEMPLATE_AFTER,
    TEMPLATE_BEFORE,
    chosen_bandwidth,
    track_template,
)
from tests.sorting.simsort.planted import RATE_HZ, cut, noise, plant, spike_shape, train

MINUTE = 600_000
MIDDLES = np.arange(1.0, 60.0, 2.0)


def moving_recording() -> tuple[np.ndarray, np.ndarray]:
    """A unit that goes from one channel to the other within a minute."""
    traces, samples = noise(MINUTE), train(15.0, MINUTE)
    way = samples / MINUTE
    plant(traces, spike_shape(0), samples, 1 - way)
    plant(traces, spike_shape(3), samples, way)
    return traces, samples


def test_the_bandwidth_is_infinite_for_what_stays_and_finite_for_what_moves() -> None:
    rng = np.random.default_rng(0)
    times = np.sort(rng.uniform(0, 120, 600))
    still = rng.normal(size=(600, 40)) + 3
    assert np.isinf(chosen_bandwidth(still, times))
    direction = rng.normal(size=40)
    slow, fast = (
        chosen_bandwidth(still + amplitude[:, None] * direction, times)
        for amplitude in (4 * times / 120, 4 * np.sin(2 * np.pi * times / 20))
    )
    assert np.isfinite(slow) and fast < slow
    assert np.isinf(chosen_bandwidth(still[:10] * times[:10, None], times[:10]))  # too few to tell


def test_chance_does_not_make_a_unit_move() -> None:
    for seed in range(10):
        rng = np.random.default_rng(seed)
        times = np.sort(rng.uniform(0, 120, 300))
        assert np.isinf(chosen_bandwidth(rng.normal(size=(300, 40)), times))


def test_the_template_of_a_unit_that_stays_is_the_mean_of_its_spikes() -> None:
    traces, samples = noise(MINUTE), train(10.0, MINUTE)
    plant(traces, spike_shape(0), samples)
    track = track_template(traces, samples, RATE_HZ, MIDDLES)
    assert track.waveforms.shape == (1, 4, TEMPLATE_BEFORE + TEMPLATE_AFTER) and track.n_spikes == len(samples)
    mean = cut_snippets(traces, samples, TEMPLATE_BEFORE, TEMPLATE_AFTER).mean(axis=0)
    assert not track.moves
    for block in (0, 7):
        np.testing.assert_allclose(track.at(block), mean, atol=1e-5)
    np.testing.assert_allclose(mean, cut(spike_shape(0), TEMPLATE_BEFORE, TEMPLATE_AFTER), atol=6 / np.sqrt(600))


def test_the_template_of_a_unit_that_moves_follows_it() -> None:
    traces, samples = moving_recording()
    track = track_template(traces, samples, RATE_HZ, MIDDLES)
    assert np.isfinite(track.bandwidth_s) and len(track.waveforms) == len(MIDDLES)
    start, stop = (cut(spike_shape(unit), TEMPLATE_BEFORE, TEMPLATE_AFTER) for unit in (0, 3))
    mean = cut_snippets(traces, samples, TEMPLATE_BEFORE, TEMPLATE_AFTER).mean(axis=0)
    for block, middle in enumerate(MIDDLES):
        true = start + middle / 60 * (stop - start)
        wrong = np.linalg.norm(track.at(block) - true)
        assert wrong < 5
        if not 15 < middle < 45:
            assert wrong < np.linalg.norm(mean - true)


@pytest.mark.parametrize("count", [1, 5])
def test_few_spikes_make_a_template_too(count: int) -> None:
    traces = noise(5000)
    samples = np.arange(1, count + 1) * 500
    track = track_template(traces, samples, RATE_HZ, MIDDLES[:1])
    expected = cut_snippets(traces, samples, TEMPLATE_BEFORE, TEMPLATE_AFTER).mean(axis=0)
    np.testing.assert_allclose(track.at(0), expected, atol=1e-6)


def test_many_spikes_make_a_template_with_less_noise() -> None:
    traces, samples = noise(MINUTE), np.arange(100, MINUTE - 100, 80)
    plant(traces, spike_shape(0), samples)
    track = track_template(traces, samples, RATE_HZ, MIDDLES[:1])
    assert track.n_spikes == len(samples) == 7498
    wrong = track.at(0) - cut(spike_shape(0), TEMPLATE_BEFORE, TEMPLATE_AFTER)
    assert wrong.std() < 2 / np.sqrt(1000)


@pytest.mark.parametrize("n_channels", [20, 64])
def test_a_template_is_on_its_loudest_channels_alone(n_channels: int) -> None:
    traces, samples = noise(100_000, n_channels), train(10.0, 100_000)
    plant(traces, spike_shape(5, n_channels), samples)
    mean = cut_snippets(traces, samples, TEMPLATE_BEFORE, TEMPLATE_AFTER).mean(axis=0)
    track = track_template(traces, samples, RATE_HZ, MIDDLES[:5])
    assert (np.diff(track.channels) > 0).all() and set(range(5, 11)) <= set(track.channels.tolist())
    assert track.waveforms.shape == (1, 16, TEMPLATE_BEFORE + TEMPLATE_AFTER)
    np.testing.assert_allclose(track.at(0), mean[track.channels], atol=1e-5)
    assert np.abs(np.delete(mean, track.channels, axis=0)).max() < 6 / np.sqrt(len(samples))  # elsewhere noise


def test_the_template_of_a_moving_unit_takes_no_more_room_on_more_channels() -> None:
    traces = noise(150_000, 64)
    samples = train(30.0, len(traces))
    way = samples / len(traces)
    plant(traces, spike_shape(20, 64), samples, 1 - way)
    plant(traces, spike_shape(23, 64), samples, way)
    track = track_template(traces, samples, RATE_HZ, MIDDLES[:7])
    assert track.moves and track.waveforms.shape == (7, 16, TEMPLATE_BEFORE + TEMPLATE_AFTER)
    assert track.waveforms.dtype == np.float32 and track.waveforms.flags.c_contiguous
    # as it is without the other channels
    few = track_template(traces[:, track.channels], samples, RATE_HZ, MIDDLES[:7])
    np.testing.assert_array_equal(few.channels, np.arange(16))
    np.testing.assert_allclose(few.waveforms, track.waveforms, atol=1e-5)
