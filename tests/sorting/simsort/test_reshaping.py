"""Reshaped tones have the frequency and the phase that were asked for; noise stays noise."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from spikeline.sorting.simsort.reshaping import reshaped, stretched
from spikeline.sorting.simsort.reshaping_torch import reshaped_on
from tests.sorting.simsort.planted import noise


@pytest.mark.parametrize("stretch", [0.7, 1.0, 1.37])
@pytest.mark.parametrize("phase", [0.0, 0.5, -1.2, np.pi])
def test_tones_become_longer_and_turn(stretch: float, phase: float) -> None:
    cycles, samples = 0.08, 4001
    tone = np.cos(2 * np.pi * cycles * np.arange(samples))[:, None]
    out = reshaped(np.hstack([tone, 3 * tone]), stretch, phase)
    assert out.shape == (round(stretch * samples), 2) and out.dtype == np.float32
    expected = np.cos(2 * np.pi * cycles / stretch * np.arange(len(out)) + phase)
    inner = slice(400, -400)
    # the length is a whole number of samples, so the tone may run away by a part of one
    np.testing.assert_allclose(out[inner, 0], expected[inner], atol=0.3)
    assert np.corrcoef(out[inner, 0], expected[inner])[0, 1] > 0.99
    np.testing.assert_allclose(out[:, 1], 3 * out[:, 0], atol=1e-5)


def test_nothing_asked_nothing_changed() -> None:
    traces = noise(1000)
    traces -= traces.mean(axis=0)  # an offset has no phase
    np.testing.assert_array_equal(reshaped(traces, 1.0, 0.0), traces)
    np.testing.assert_allclose(reshaped(traces, 1.0, 2 * np.pi), traces, atol=1e-3)
    np.testing.assert_allclose(reshaped(traces, 1.0, np.pi), -traces, atol=1e-3)


@pytest.mark.parametrize("stretch", [0.7, 1.4])
def test_noise_keeps_its_level_in_the_band(stretch: float) -> None:
    out = reshaped(noise(60_000, 1), stretch, 0.8)[:, 0]
    power = np.abs(np.fft.rfft(out)) ** 2 / len(out)
    inside = power[len(power) // 10 : len(power) // 2]
    assert inside.mean() == pytest.approx(stretch, rel=0.05)  # longer noise has its power in a narrower band


@pytest.mark.parametrize("stretch", [0.65, 1.0, 1.31])
@pytest.mark.parametrize("phase", [0.0, 2.5])
@pytest.mark.parametrize("samples", [5000, 4099])
def test_torch_equals_numpy(stretch: float, phase: float, samples: int) -> None:
    traces = noise(samples, 3)
    made = reshaped_on(torch.from_numpy(traces), stretch, phase)
    assert made.dtype == torch.float32
    np.testing.assert_allclose(made.numpy(), reshaped(traces, stretch, phase), atol=2e-5)


def test_spikes_move_with_the_traces() -> None:
    assert stretched(np.array([0, 10, 99]), 1.5, 150).tolist() == [0, 15, 148]
    assert stretched(np.array([0, 10, 99]), 0.5, 50).tolist() == [0, 5, 49]
