"""Normal numbers: distribution, tails, independence, and the same bytes however much is asked for."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import scipy.stats

from spikeline.simulation.recordings.normals import LARGEST_NORMAL, _pairs, fill_normals

COUNT = 2**22


def draw(*key: int, count: int = COUNT, level: float = 1.0) -> np.ndarray:
    out = np.empty(count, np.float32)
    fill_normals(np.random.SeedSequence(key), out, level)
    return out


@pytest.fixture(scope="module")
def numbers() -> np.ndarray:
    return draw(1).astype(np.float64)


def test_moments(numbers: np.ndarray) -> None:
    for power, expected, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96), (6, 15, 10170)):
        error = (numbers**power).mean() - expected
        assert abs(error) < 4 * np.sqrt(variance / COUNT), f"moment {power}"


def test_distribution(numbers: np.ndarray) -> None:
    assert scipy.stats.kstest(numbers, "norm").pvalue > 1e-3
    edges = scipy.stats.norm.ppf(np.linspace(0, 1, 1025))
    assert scipy.stats.chisquare(np.histogram(numbers, edges)[0]).pvalue > 1e-3


@pytest.mark.parametrize("threshold", [3.0, 4.0, 4.5, 5.0])
def test_tails(threshold: float) -> None:
    count = 2**24
    drawn = draw(2, count=count)
    expected = count * scipy.stats.norm.sf(threshold)
    for beyond in ((drawn > threshold).sum(), (drawn < -threshold).sum()):
        assert abs(beyond - expected) < 4 * np.sqrt(expected) + 1
    assert np.abs(drawn).max() < LARGEST_NORMAL


def test_extreme_bits_give_finite_numbers() -> None:
    words = np.array([0, 1, 2**30, 2**31 - 1, 2**31, 2**32 - 1], np.uint32)
    radius, angle = (np.ascontiguousarray(w.ravel()) for w in np.meshgrid(words, words))
    cosines, sines = np.empty(len(radius), np.float32), np.empty(len(radius), np.float32)
    _pairs(radius, angle, np.float32(1), cosines, sines)
    uniform = (radius.astype(np.float64) + 0.5) / 2**32
    length = np.sqrt(-2 * np.log(uniform))
    np.testing.assert_allclose(np.hypot(cosines, sines), length, atol=3e-4)
    assert np.hypot(cosines, sines).max() <= LARGEST_NORMAL * (1 + 1e-6)


def test_radius_and_angle_follow_box_and_muller(rng: np.random.Generator) -> None:
    radius, angle = rng.integers(0, 2**32, (2, 100_000), dtype=np.uint64).astype(np.uint32)
    cosines, sines = np.empty(len(radius), np.float32), np.empty(len(radius), np.float32)
    _pairs(radius, angle, np.float32(1), cosines, sines)
    length = np.sqrt(-2 * np.log((radius.astype(np.float64) + 0.5) / 2**32))
    np.testing.assert_allclose(np.hypot(cosines, sines), length, rtol=2e-6, atol=2e-4)
    # the top two bits are the quadrant, the others a signed angle in it
    within = (angle << np.uint32(2)).view(np.int32) * (np.pi / 4 / 2**31)
    turn = (angle >> np.uint32(31)) * np.pi + (angle >> np.uint32(30) & np.uint32(1)) * (np.pi / 2) + within
    difference = np.angle(np.exp(1j * (np.arctan2(sines.astype(np.float64), cosines) - turn)))
    assert np.abs(difference).max() < 1e-6


def test_no_serial_correlation(numbers: np.ndarray) -> None:
    spectrum = np.abs(np.fft.rfft(numbers, 2 * COUNT)) ** 2
    correlation = np.fft.irfft(spectrum)[1:5000] / COUNT
    assert np.abs(correlation).max() * np.sqrt(COUNT) < 5.5
    squares = numbers**2 - 1
    spectrum = np.abs(np.fft.rfft(squares, 2 * COUNT)) ** 2
    correlation = np.fft.irfft(spectrum)[1:5000] / COUNT / 2
    assert np.abs(correlation).max() * np.sqrt(COUNT) < 5.5, "of the squares"


def test_streams_are_independent() -> None:
    drawn = np.stack([draw(3, block, count=2**16) for block in range(64)]).astype(np.float64)
    for values in (drawn, drawn**2):
        correlation = np.corrcoef(values)[np.triu_indices(64, 1)] * 2**8
        assert np.abs(correlation).max() < 4.8
        assert 0.9 < correlation.std() < 1.1


def test_a_shorter_array_gets_the_first_numbers() -> None:
    whole = draw(4, count=10_000)
    for count in (0, 1, 2047, 2048, 2049):
        assert np.array_equal(draw(4, count=count), whole[:count])


def test_level_scales() -> None:
    np.testing.assert_allclose(draw(5, count=5000, level=7.0), 7 * draw(5, count=5000), rtol=1e-6)


def test_bytes_are_the_same_everywhere() -> None:
    # a change here means that every recording changes, or that a processor rounds differently
    assert hashlib.sha256(draw(6, count=100_000).tobytes()).hexdigest()[:16] == "531b452f8cdb0b66"
