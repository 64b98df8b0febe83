"""Mean spikes are plain means, and the energy that noise leaves in them is known."""

from __future__ import annotations

import numpy as np
import pytest

from spikeline.sorting.simsort.mean_spikes import mean_spike, mean_spikes
from spikeline.sorting.simsort.snippets import cut_snippets
from spikeline.sorting.simsort.templates import TEMPLATE_AFTER, TEMPLATE_BEFORE
from tests.sorting.simsort.planted import cut, noise, spike_shape, train


def test_mean_spikes_are_plain_means_of_an_even_choice() -> None:
    traces, trains = noise(20_000), [train(30.0, 20_000), np.array([100, 700]), np.arange(100, 19_900, 20)]
    means = mean_spikes(traces, trains, most=100)
    assert mean_spikes(traces, []) == []
    for mean, samples, step in zip(means, trains, (1, 1, 10), strict=True):
        snippets = cut_snippets(traces, samples[::step], TEMPLATE_BEFORE, TEMPLATE_AFTER)
        np.testing.assert_allclose(mean.waveform, snippets.mean(axis=0), atol=1e-6)
        scatter = snippets.astype(np.float64).var(axis=0, ddof=1).sum(axis=1) / len(snippets)
        np.testing.assert_allclose(mean.noise, scatter, rtol=1e-6)


@pytest.mark.parametrize("n_channels", [4, 64])
def test_the_energy_is_that_of_the_spike_without_the_noise(n_channels: int) -> None:
    template = cut(spike_shape(0, n_channels, energy=40.0), 15, 25)
    rng = np.random.default_rng(0)
    found = [
        mean_spike((template + rng.normal(size=(30, *template.shape))).astype(np.float32)).energy for _ in range(40)
    ]
    assert np.mean(found) == pytest.approx(float((template**2).sum()), rel=0.05)


def test_one_spike_is_all_noise() -> None:
    mean = mean_spike(np.ones((1, 4, 40), np.float32))
    np.testing.assert_allclose(mean.noise, 40)
    assert mean.energy == 0
