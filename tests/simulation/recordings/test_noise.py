"""Noise: level, spectrum, independence, and blocks that join without a seam."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal

from spikeline.errors import ConfigError
from spikeline.simulation.recordings.noise import noise_block, noise_source

RATE = 10_000.0


def stretch(
    colour: str, blocks: int = 12, channels: int = 3, seed: int = 1, name: str = "a", rate: float = RATE
) -> np.ndarray:
    source = noise_source(colour, 7.0, channels, rate, 8192, seed, name)
    return np.concatenate([noise_block(source, i) for i in range(blocks)])


@pytest.mark.parametrize("colour", ["white", "pink", "coloured"])
@pytest.mark.parametrize("rate", [10_000.0, 30_000.0])
def test_level(colour: str, rate: float) -> None:
    noise = stretch(colour, rate=rate, blocks=40)
    assert noise.dtype == np.float32
    np.testing.assert_allclose(noise.std(), 7, rtol=0.04 if colour == "pink" else 0.01)


def test_coloured_peaks_at_300_hz_with_q_2() -> None:
    frequency, power = scipy.signal.welch(stretch("coloured", 60), RATE, axis=0, nperseg=2048)
    power = power.mean(axis=1)
    assert abs(frequency[power.argmax()] - 300) < 30
    floor = power[(frequency > 3000) & (frequency < 4500)].mean()
    half = frequency[power > (power.max() + floor) / 2]
    assert 100 < half.max() - half.min() < 250, "a resonance of Q 2 is 150 Hz wide"
    assert power.max() > 10 * floor


def test_pink_falls_as_one_over_f() -> None:
    frequency, power = scipy.signal.welch(stretch("pink", 60), RATE, axis=0, nperseg=8192)
    use = (frequency > 15) & (frequency < 1500)
    slope = np.polyfit(np.log(frequency[use]), np.log(power[use].mean(axis=1)), 1)[0]
    assert abs(slope + 1) < 0.06


def test_white_is_flat_and_normal() -> None:
    noise = stretch("white", 20) / 7
    _, power = scipy.signal.welch(noise, RATE, axis=0, nperseg=256)
    assert np.ptp(np.log(power[2:-2].mean(axis=1))) < 0.3
    np.testing.assert_allclose([(noise**3).mean(), (noise**4).mean()], [0, 3], atol=0.06)


@pytest.mark.parametrize("colour", ["pink", "coloured"])
def test_blocks_join_as_if_filtered_in_one_go(colour: str) -> None:
    source = noise_source(colour, 1.0, 2, RATE, 8192, 1, "a")
    white = noise_source("white", 1.0, 2, RATE, 8192, 1, "a")
    assert 0 < source.warm_up < 8192
    # the same white noise, drawn in the same parts, filtered without a break
    parts = []
    for index in range(3):
        piece = type(source)(**{**white.__dict__, "warm_up": source.warm_up})
        parts.append(noise_block(piece, index))
    whole = scipy.signal.sosfilt(source.sections.astype(np.float64), np.concatenate(parts), axis=0)
    joined = np.concatenate([noise_block(source, i) for i in range(3)])
    np.testing.assert_allclose(joined[8192:], whole[8192:], atol=2e-4)


def test_channels_blocks_and_names_are_independent() -> None:
    noise = stretch("white", 4)
    assert np.abs(np.corrcoef(noise.T) - np.eye(3)).max() < 0.03
    assert np.abs(np.corrcoef(noise[:8192, 0], noise[8192:16384, 0])[0, 1]) < 0.05
    assert not np.array_equal(noise, stretch("white", 4, name="b"))
    assert not np.array_equal(noise, stretch("white", 4, seed=2))
    assert np.array_equal(noise, stretch("white", 4))


def test_coloured_noise_needs_the_rate_for_its_resonance() -> None:
    with pytest.raises(ConfigError, match="coloured"):
        noise_source("coloured", 1.0, 1, 600.0, 1024, 1, "a")
