"""Whitened noise has density 1 in the band, on every channel by itself, whatever it was before."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from spikeline.errors import DataError
from spikeline.sorting.simsort.whitening import filtered_in_time, fit_whitening
from tests.sorting.simsort.planted import RATE_HZ, noise, plant, spike_shape, train

BAND = (300.0, 3000.0)
MIXING = np.array([[1.0, 0.6, 0.3, 0.1], [0.5, 1.0, 0.4, 0.2], [0.2, 0.5, 1.0, 0.5], [0.1, 0.3, 0.6, 1.0]])


def coloured(colour: str, n_samples: int = 120_000, n_channels: int = 4, seed: int = 0) -> np.ndarray:
    """Gaussian noise of a given colour; in the band its power falls by 10 (pink) or has a hump (coloured)."""
    frequency = np.fft.rfftfreq(n_samples, 1 / RATE_HZ)
    gain = {
        "white": np.ones_like(frequency),
        "pink": 1 / np.sqrt(np.maximum(frequency, 1.0) / 1000),
        "coloured": 0.5 + np.exp(-(((frequency - 1000) / 500) ** 2)),
    }[colour]
    spectrum = np.fft.rfft(noise(n_samples, n_channels, seed), axis=0) * gain[:, None]
    return 8 * np.fft.irfft(spectrum, n_samples, axis=0).astype(np.float32)


def density(traces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies, and power per channel where white noise of variance 1 has 1."""
    frequency, power = signal.welch(traces, RATE_HZ, nperseg=512, axis=0)
    return frequency, power * RATE_HZ / 2


@pytest.mark.parametrize("colour", ["white", "pink", "coloured"])
def test_noise_of_any_colour_becomes_white_and_independent(colour: str) -> None:
    traces = coloured(colour) @ MIXING.T.astype(np.float32)
    white = fit_whitening(traces, RATE_HZ, BAND)(traces)
    frequency, power = density(white)
    inside = (frequency > 450) & (frequency < 2700)
    for low in np.arange(450, 2700, 450):
        part = (frequency >= low) & (frequency < low + 450)
        np.testing.assert_allclose(power[part].mean(axis=0), 1.0, atol=0.1)
    np.testing.assert_allclose(power[inside].mean(axis=0), 1.0, atol=0.05)
    assert power[(frequency < 150) | (frequency > 3600)].max() < 0.02
    np.testing.assert_allclose(np.corrcoef(white.T), np.eye(4), atol=0.05)


@pytest.mark.parametrize("scale", [1e-3, 1e3])
def test_the_unit_of_the_traces_does_not_matter(scale: float) -> None:
    traces = coloured("pink", 30_000) @ MIXING.T.astype(np.float32)
    one, other = (fit_whitening(part, RATE_HZ, BAND)(part) for part in (traces, traces * np.float32(scale)))
    np.testing.assert_allclose(one, other, atol=1e-3)


def test_channels_are_alike_whatever_their_order_and_sign() -> None:
    traces = coloured("pink", 30_000) @ MIXING.T.astype(np.float32)
    white = fit_whitening(traces, RATE_HZ, BAND)(traces)
    order, sign = np.array([2, 0, 3, 1]), np.array([1, -1, -1, 1], np.float32)
    changed = traces[:, order] * sign
    np.testing.assert_allclose(fit_whitening(changed, RATE_HZ, BAND)(changed), white[:, order] * sign, atol=1e-3)


def test_dead_channels_stay_silent_and_change_nothing() -> None:
    alive = coloured("white", 30_000, 3)
    traces = np.insert(alive, [1, 3], 0.0, axis=1)
    white = fit_whitening(traces, RATE_HZ, BAND)(traces)
    assert np.abs(white[:, [1, 4]]).max() == 0
    np.testing.assert_allclose(white[:, [0, 2, 3]], fit_whitening(alive, RATE_HZ, BAND)(alive), atol=1e-3)


def test_a_matched_filter_sees_noise_of_the_templates_energy() -> None:
    traces = coloured("pink") @ MIXING.T.astype(np.float32)
    whitening = fit_whitening(traces, RATE_HZ, BAND)
    white = whitening(traces)
    for unit in range(3):
        spike = np.zeros((1000, 4), np.float32)
        plant(spike, spike_shape(unit, energy=1e5), np.array([500.0]))
        template = whitening(spike)[440:560]
        products = sum(np.correlate(white[:, channel], template[:, channel], "valid") for channel in range(4))
        assert products.var() == pytest.approx((template**2).sum(), rel=0.1)


def test_spikes_are_not_noise() -> None:
    silent = coloured("white", 100_000)
    spiking = silent.copy()
    for unit in range(3):
        plant(spiking, spike_shape(unit, energy=2e5), train(5.0, len(spiking), unit))
    assert spiking.var() > 1.3 * silent.var()
    clean, busy = (fit_whitening(part, RATE_HZ, BAND)(silent) for part in (silent, spiking))
    np.testing.assert_allclose(busy.std(axis=0), clean.std(axis=0), rtol=0.1)


def test_a_long_probe_is_whitened_from_neighbour_to_neighbour() -> None:
    n = 24
    away = np.abs(np.arange(n)[:, None] - np.arange(n))
    traces = coloured("white", 40_000, n) @ np.exp(-away / 1.5).astype(np.float32)
    where = np.stack([np.zeros(n), 20.0 * np.arange(n) ** 1.01], axis=1)  # no two neighbours are equally far
    white = fit_whitening(traces, RATE_HZ, BAND, where)(traces)
    correlation = np.corrcoef(white.T)
    assert np.abs(correlation - np.eye(n)).max() < 0.1
    order = np.random.default_rng(0).permutation(n)
    other = fit_whitening(traces[:, order], RATE_HZ, BAND, where[order])(traces[:, order])
    np.testing.assert_allclose(other, white[:, order], atol=2e-3)


def test_filtering_is_convolution_and_moves_nothing() -> None:
    traces, kernel = noise(300, 2), np.hanning(33).astype(np.float32)
    padded = np.pad(traces, ((16, 16), (0, 0)), mode="edge")
    expected = np.stack([np.convolve(padded[:, channel], kernel, "valid") for channel in range(2)], axis=1)
    np.testing.assert_allclose(filtered_in_time(traces, kernel), expected, atol=1e-4)
    whitening = fit_whitening(coloured("pink", 20_000), RATE_HZ, BAND)
    np.testing.assert_allclose(whitening.kernel, whitening.kernel[::-1], rtol=1e-4, atol=1e-7)
    pulse = np.zeros((2001, 4), np.float32)
    pulse[1000] = 1
    out = whitening(pulse)
    assert np.abs(out).argmax(axis=0).tolist() == [1000] * 4
    assert np.abs(np.delete(out, np.arange(1000 - whitening.margin, 1001 + whitening.margin), axis=0)).max() < 1e-6


def test_too_short_a_stretch_is_refused() -> None:
    with pytest.raises(DataError, match="100 samples to measure noise on"):
        fit_whitening(noise(100), RATE_HZ, BAND)


@pytest.mark.parametrize("value", [0.0, 1000.0])
def test_constant_traces_are_refused(value: float) -> None:
    with pytest.raises(DataError, match="every channel is constant"):
        fit_whitening(np.full((5000, 4), value, np.float32), RATE_HZ, BAND)
