"""The injected noise: spectrum, standard deviation, mean, delay, seed."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import welch

from spikeline.config.simulation import StimulusSettings
from spikeline.errors import ConfigError
from spikeline.simulation.bank.stimulus import ornstein_uhlenbeck_noise, pink_noise, stimulus_current, white_noise

LENGTH = 2**17


def slope(noise: np.ndarray) -> float:
    """Exponent of the power spectrum between 1/1000 and 1/4 of the sampling rate."""
    frequency, power = welch(noise, nperseg=4096)
    band = (frequency > 1e-3) & (frequency < 0.25)
    return float(np.polyfit(np.log(frequency[band]), np.log(power[band]), 1)[0])


def test_pink_noise_has_power_1_over_f(rng: np.random.Generator) -> None:
    noise = pink_noise(LENGTH, rng)
    assert slope(noise) == pytest.approx(-1, abs=0.05)
    assert noise.std() == pytest.approx(1, abs=1e-12)
    assert noise.mean() == pytest.approx(0, abs=1e-12)


def test_pink_noise_follows_the_published_recipe() -> None:
    """White normal -> rFFT -> divide by sqrt(f), constant 0 -> irFFT -> unit standard deviation."""
    n = 4096
    white = np.random.default_rng(3).standard_normal(n)
    spectrum = np.fft.rfft(white)
    spectrum[0] = 0
    spectrum[1:] /= np.sqrt(np.fft.rfftfreq(n, 1e-4)[1:])
    expected = np.fft.irfft(spectrum, n)
    np.testing.assert_allclose(pink_noise(n, np.random.default_rng(3)), expected / expected.std(), atol=1e-10)


def test_pink_noise_of_an_awkward_length(rng: np.random.Generator) -> None:
    noise = pink_noise(10_007, rng)  # a prime
    assert noise.shape == (10_007,)
    assert noise.std() == pytest.approx(1)


def test_white_noise_is_white(rng: np.random.Generator) -> None:
    assert slope(white_noise(LENGTH, rng)) == pytest.approx(0, abs=0.05)


def test_ornstein_uhlenbeck_noise_has_its_correlation_and_variance(rng: np.random.Generator) -> None:
    noise = ornstein_uhlenbeck_noise(400_000, rng, correlation_samples=20)
    assert noise.std() == pytest.approx(1, abs=0.03)
    for lag in (1, 20, 60):
        assert np.mean(noise[lag:] * noise[:-lag]) == pytest.approx(np.exp(-lag / 20), abs=0.03)


def test_ornstein_uhlenbeck_noise_starts_stationary() -> None:
    first = [ornstein_uhlenbeck_noise(2, np.random.default_rng(seed), 50.0) for seed in range(4000)]
    assert np.std(first, axis=0) == pytest.approx([1, 1], abs=0.05)


@pytest.mark.parametrize("kind", ["pink", "white", "ornstein_uhlenbeck"])
def test_current_scales_with_rheobase_and_keeps_the_delay(kind: str) -> None:
    settings = StimulusSettings(kind=kind, amplitude_rheobase=2.0, mean_rheobase=0.5, delay_ms=20.0)
    kwargs = {"n_samples": 100_000, "dt_ms": 0.1, "root_seed": 5, "shard": "cell/v000-0"}
    current = stimulus_current(settings, rheobase_na=0.1, **kwargs)
    assert not current[:200].any()
    assert current[200:].std() == pytest.approx(0.2, rel=0.05)
    assert current[200:].mean() == pytest.approx(0.05, abs=0.02)
    np.testing.assert_allclose(stimulus_current(settings, rheobase_na=0.3, **kwargs), 3 * current)


def test_seeds_differ_and_repeat() -> None:
    def drawn(seed: int, shard: str) -> np.ndarray:
        return stimulus_current(
            StimulusSettings(), n_samples=1000, dt_ms=0.1, rheobase_na=1.0, root_seed=seed, shard=shard
        )

    np.testing.assert_array_equal(drawn(1, "a/v000-0"), drawn(1, "a/v000-0"))
    assert np.abs(drawn(1, "a/v000-0") - drawn(1, "a/v000-1")).max() > 0.1
    assert np.abs(drawn(1, "a/v000-0") - drawn(2, "a/v000-0")).max() > 0.1


def test_a_delay_that_leaves_no_stimulus_is_refused() -> None:
    with pytest.raises(ConfigError, match="delay_ms"):
        stimulus_current(
            StimulusSettings(delay_ms=300.0), n_samples=3000, dt_ms=0.1, rheobase_na=1.0, root_seed=0, shard="a"
        )
