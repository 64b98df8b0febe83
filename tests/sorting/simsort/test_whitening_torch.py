"""Whitening by torch is whitening by numpy, to the rounding of 32-bit numbers."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal
import torch

from spikeline.errors import DataError
from spikeline.sorting.simsort.inverse_filter import steadying_filter
from spikeline.sorting.simsort.whitening import fit_whitening
from spikeline.sorting.simsort.whitening_torch import _middle, _steady, whitened_on
from tests.sorting.simsort.planted import RATE_HZ, noise, plant, spike_shape, train

BAND = (300.0, 3000.0)


def spiking(n_samples: int, n_channels: int, seed: int = 0) -> np.ndarray:
    """Noise that channels share, on a slow potential, with spikes of three units."""
    traces = 8 * noise(n_samples, n_channels, seed)
    for unit in range(3):
        plant(traces, spike_shape(unit, n_channels, energy=2e5), train(5.0, n_samples, unit))
    traces += 0.4 * traces[:, ::-1]
    return traces + 300 * np.sin(np.arange(n_samples) / 4000, dtype=np.float32)[:, None]


@pytest.mark.parametrize("n_channels", [1, 2, 4])
@pytest.mark.parametrize("n_samples", [20_000, 33_333])
def test_it_is_the_same_whitening(n_samples: int, n_channels: int) -> None:
    traces = spiking(n_samples, n_channels)
    expected = fit_whitening(traces, RATE_HZ, BAND)(traces)
    made = whitened_on(torch.from_numpy(traces), RATE_HZ, BAND)
    assert made.dtype == torch.float32
    # a sample at just 4 standard deviations may count as a spike here and not there: 1e-3, and 1e-4 elsewhere
    difference = np.abs(made.numpy() - expected)
    assert np.abs(expected).max() > 8 and difference.max() < 1e-3 and np.median(difference) < 1e-4


def test_dead_channels_stay_silent_and_change_nothing() -> None:
    traces = np.insert(spiking(20_000, 2), [1, 2], 0.0, axis=1)
    made = whitened_on(torch.from_numpy(traces), RATE_HZ, BAND).numpy()
    assert np.abs(made[:, [1, 3]]).max() == 0
    np.testing.assert_allclose(made, fit_whitening(traces, RATE_HZ, BAND)(traces), atol=1e-3)


def test_the_steadying_is_scipys() -> None:
    traces, sections = spiking(3000, 2), steadying_filter(RATE_HZ, BAND)
    expected = scipy.signal.sosfiltfilt(sections, traces, axis=0)
    np.testing.assert_allclose(_steady(torch.from_numpy(traces), sections).numpy(), expected, atol=2e-3)
    assert np.abs(expected).max() > 50


@pytest.mark.parametrize("n", [1, 2, 7, 8])
def test_the_median_is_numpys(n: int) -> None:
    values = noise(n, 3)
    np.testing.assert_array_equal(_middle(torch.from_numpy(values)).numpy(), np.median(values, axis=0))


def test_too_short_a_stretch_is_refused() -> None:
    with pytest.raises(DataError, match="100 samples to measure noise on"):
        whitened_on(torch.from_numpy(noise(100)), RATE_HZ, BAND)


@pytest.mark.parametrize("value", [0.0, 1000.0])
def test_constant_traces_are_refused(value: float) -> None:
    with pytest.raises(DataError, match="every channel is constant"):
        whitened_on(torch.full((5000, 4), value), RATE_HZ, BAND)
