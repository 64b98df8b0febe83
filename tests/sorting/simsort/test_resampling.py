"""Resampling: band-limited, the same for any block, with times that map back."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from spikeline.errors import DataError
from spikeline.sorting.simsort.whitened import Resampling
from tests.sorting.simsort.planted import noise

RATES = [8_000.0, 10_000.0, 24_000.0, 24_414.0625, 30_000.0]


def resampled(plan: Resampling, traces: np.ndarray, edges: list[int] | None = None) -> np.ndarray:
    """The whole recording, block by block."""

    def read(start: int, stop: int) -> np.ndarray:
        assert 0 <= start < stop <= len(traces)
        return traces[start:stop]

    n_samples = plan.length(len(traces))
    bounds = [0, *(edges or []), n_samples]
    blocks = [plan.block(read, len(traces), *span) for span in pairwise(bounds)]
    return np.concatenate(blocks)


@pytest.mark.parametrize("rate", RATES)
def test_rate_and_length(rate: float) -> None:
    plan = Resampling(rate, 10_000.0, 3000.0)
    assert plan.rate_hz == pytest.approx(10_000, rel=1e-4) and plan.rate_hz == rate * plan.up / plan.down
    for n_samples in (1, 999, 30_001):
        assert plan.length(n_samples) == int(np.ceil(n_samples * plan.up / plan.down))
        assert plan.to_source(np.array([plan.length(n_samples) - 1.0]))[0] < n_samples


@pytest.mark.parametrize("rate", RATES)
def test_any_block_gives_the_same_samples(rate: float) -> None:
    plan, traces = Resampling(rate, 10_000.0, 3000.0), noise(6000, 2)
    whole = resampled(plan, traces)
    assert whole.shape == (plan.length(6000), 2)
    for edges in ([1], [700, 701, 1500], list(range(37, len(whole), 191))):
        np.testing.assert_allclose(resampled(plan, traces, edges), whole, atol=2e-6)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("frequency", [300.0, 1000.0, 3000.0])
def test_tones_survive_in_place(rate: float, frequency: float) -> None:
    plan = Resampling(rate, 10_000.0, 3000.0)
    time = np.arange(round(0.4 * rate)) / rate
    tone = np.sin(2 * np.pi * frequency * time)[:, None].astype(np.float32)
    made = resampled(plan, tone, [1234])
    # where each sample lies in the recording, by the map that times go back with
    expected = np.sin(2 * np.pi * frequency * plan.to_source(np.arange(float(len(made)))) / rate)
    np.testing.assert_allclose(made[50:-50, 0], expected[50:-50], atol=0.02)


@pytest.mark.parametrize("rate", [24_000.0, 24_414.0625, 30_000.0])
def test_what_the_lower_rate_cannot_hold_does_not_come_back_as_something_else(rate: float) -> None:
    plan = Resampling(rate, 10_000.0, 3000.0)
    for frequency in (7500.0, 9000.0, 11_000.0):
        tone = np.sin(2 * np.pi * frequency * np.arange(round(0.4 * rate)) / rate)[:, None].astype(np.float32)
        assert np.abs(resampled(plan, tone)[50:-50]).max() < 0.01


def test_too_slow_a_recording_is_refused() -> None:
    Resampling(6700.0, 10_000.0, 3000.0)
    with pytest.raises(DataError, match="a recording at 6500 Hz"):
        Resampling(6500.0, 10_000.0, 3000.0)
