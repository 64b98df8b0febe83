"""The noise current injected into the soma, in units of rheobase."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64
from scipy.fft import irfft, next_fast_len, rfft

from spikeline.artifacts import seed_stream
from spikeline.config.simulation import StimulusSettings
from spikeline.errors import ConfigError

__all__ = ["ornstein_uhlenbeck_noise", "pink_noise", "stimulus_current", "white_noise"]


def white_noise(n_samples: int, generator: np.random.Generator) -> Float64[np.ndarray, " {n_samples}"]:
    """Independent standard normal values."""
    return generator.standard_normal(n_samples)


def pink_noise(n_samples: int, generator: np.random.Generator) -> Float64[np.ndarray, " {n_samples}"]:
    """Noise of power 1/f, mean 0 and standard deviation 1, both exact over the whole length.

    White normal noise, its Fourier amplitudes divided by the square root of frequency, the constant set to 0 (SimSort's
    stimulus). The transform is taken over the next length that is quick to transform and cut.
    """
    padded = next_fast_len(n_samples, real=True)
    spectrum = rfft(generator.standard_normal(padded))
    frequency = np.arange(len(spectrum), dtype=float)
    frequency[0] = np.inf
    return _standardised(irfft(spectrum / np.sqrt(frequency), padded)[:n_samples])


def ornstein_uhlenbeck_noise(
    n_samples: int, generator: np.random.Generator, correlation_samples: float
) -> Float64[np.ndarray, " {n_samples}"]:
    """Stationary Ornstein-Uhlenbeck process of variance 1, exact at any step (Gillespie 1996).

    ``correlation_samples`` is the time after which the autocorrelation has fallen to 1/e.
    """
    from scipy.signal import lfilter  # takes half a second to import, and few runs need it

    decay = np.exp(-1.0 / correlation_samples)
    steps = generator.standard_normal(n_samples)
    steps[1:] *= np.sqrt(1 - decay**2)  # the first value is drawn from the stationary distribution
    return lfilter([1.0], [1.0, -decay], steps)


def _standardised(noise: np.ndarray) -> np.ndarray:
    noise = noise - noise.mean()
    spread = noise.std()
    return noise / spread if spread > 0 else noise


def stimulus_current(
    settings: StimulusSettings, *, n_samples: int, dt_ms: float, rheobase_na: float, root_seed: int, shard: str
) -> Float64[np.ndarray, " {n_samples}"]:
    """The injected current, value k held from ``k * dt`` to ``(k + 1) * dt``.

    Parameters
    ----------
    settings
        Kind, amplitude, mean and delay.
    n_samples, dt_ms
        Length in steps and step in ms.
    rheobase_na
        Rheobase of this cell variant, in nA.
    root_seed, shard
        The run's seed, and which bank entry it is for (``cell/variant-seed``).

    Returns
    -------
    numpy.ndarray
        nA; zero during the delay.

    Raises
    ------
    ConfigError
        If the delay leaves less than two samples of stimulus.
    """
    delay = round(settings.delay_ms / dt_ms)
    length = n_samples - delay
    if length < 2:
        raise ConfigError(
            f"stimulus.delay_ms = {settings.delay_ms} in an entry of {n_samples * dt_ms:g} ms",
            "a delay shorter than the entry",
            "lower stimulus.delay_ms or raise bank.duration_s",
        )
    generator = seed_stream(root_seed, "stimulus", shard)
    if settings.kind == "pink":
        noise = pink_noise(length, generator)
    elif settings.kind == "white":
        noise = white_noise(length, generator)
    else:
        noise = ornstein_uhlenbeck_noise(length, generator, settings.correlation_ms / dt_ms)
    current = np.zeros(n_samples)
    current[delay:] = rheobase_na * (settings.mean_rheobase + settings.amplitude_rheobase * noise)
    return current
