"""Band-limited interpolation between sampling rates."""

from __future__ import annotations

import numpy as np
import pytest

from spikeline.errors import DataError
from spikeline.simulation.recordings.interpolation import interpolate, interpolation_table, interpolator


def tone(rate: float, n_samples: int, frequency: float, first: int = 0) -> np.ndarray:
    time = (first + np.arange(n_samples)) / rate
    return np.stack([np.sin(2 * np.pi * frequency * time), np.cos(2 * np.pi * frequency * time)], axis=1).astype(
        np.float32
    )


@pytest.mark.parametrize("rate", [10_000.0, 20_000.0, 24_000.0, 30_000.0, 32_000.0, 8_000.0])
@pytest.mark.parametrize("frequency", [100.0, 1000.0, 3000.0])
def test_tones_survive(rate: float, frequency: float) -> None:
    plan = interpolator(10_000.0, rate)
    low, high = plan.input_span(500, 1500)
    made = interpolate(tone(10_000.0, high - low, frequency, low), low, 500, 1500, plan)
    np.testing.assert_allclose(made, tone(rate, 1000, frequency, 500), atol=2e-3)


def test_what_the_lower_rate_cannot_hold_is_removed() -> None:
    plan = interpolator(30_000.0, 10_000.0)
    low, high = plan.input_span(500, 1500)
    assert np.abs(interpolate(tone(30_000.0, high - low, 7000.0, low), low, 500, 1500, plan)).max() < 1e-3


def test_whole_multiples_keep_the_given_samples(rng: np.random.Generator) -> None:
    plan = interpolator(10_000.0, 30_000.0)
    source = rng.normal(size=(200, 3)).astype(np.float32)
    made = interpolate(source, 0, 90, 400, plan)
    np.testing.assert_array_equal(made[::3], source[30:134])


def test_any_cut_gives_the_same_samples(rng: np.random.Generator) -> None:
    plan = interpolator(10_000.0, 24_000.0)
    source = rng.normal(size=(400, 3)).astype(np.float32)
    whole = interpolate(source, -20, 10, 800, plan)
    pieces = []
    for start, stop in [(10, 11), (11, 300), (300, 800)]:
        low, high = plan.input_span(start, stop)
        pieces.append(interpolate(source[low + 20 : high + 20], low, start, stop, plan))
    np.testing.assert_array_equal(np.concatenate(pieces), whole)


def test_same_rate_changes_nothing(rng: np.random.Generator) -> None:
    plan = interpolator(10_000.0, 10_000.0)
    source = rng.normal(size=(50, 2)).astype(np.float32)
    assert plan.is_identity
    np.testing.assert_array_equal(interpolate(source, 5, 10, 30, plan), source[5:25])


def test_rows_of_the_table_sum_to_one() -> None:
    for cutoff in (1.0, 0.4):
        np.testing.assert_allclose(interpolation_table(48, cutoff).sum(axis=1), 1, atol=1e-6)


def test_too_short_a_stretch_is_an_error() -> None:
    with pytest.raises(DataError, match="input samples"):
        interpolate(np.zeros((10, 1), np.float32), 0, 0, 30, interpolator(10_000.0, 30_000.0))


def test_incommensurate_rates_are_refused() -> None:
    with pytest.raises(DataError, match="rates"):
        interpolator(10_000.0, 24_411.7)
