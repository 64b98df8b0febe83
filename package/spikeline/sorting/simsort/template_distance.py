"""How different two mean spikes are, in standard deviations of the noise."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Bool, Float

from spikeline.sorting.simsort.mean_spikes import MeanSpike

__all__ = ["difference", "distance"]

_MOST_SHIFT = 10
_FRACTIONS = 8
_SMALLEST_SCALE, _LARGEST_SCALE = 0.7, 1.4
_USUAL_SPREAD = 0.15
_USUAL_CHANGE = 0.22  # of a template's norm, between parts of one unit
_CLEAR = 4.0  # standard deviations of the energy that noise leaves on a channel
_INDEPENDENT = 0.5  # of the samples: the band's share of all frequencies


def distance(
    first: Float[np.ndarray, "channels window"],
    second: Float[np.ndarray, "channels window"],
    first_noise: float = 0.0,
    second_noise: float = 0.0,
) -> tuple[float, int]:
    """Distance of two whitened templates, in standard deviations of the noise along the line between them.

    The least over shifts up to 10 samples in eighths, because means are aligned to whole samples only, and over the
    sizes that the spikes of one unit have. Also given: how many samples later the second peaks.

    Parameters
    ----------
    first, second
        Mean spikes.
    first_noise, second_noise
        Energy that noise has in them. It is taken out before sizes are compared: otherwise a mean of few spikes would
        come nearer to every other by being made smaller.
    """
    window = first.shape[1]
    length = 1 << math.ceil(math.log2(2 * window))
    spectra = [np.fft.rfft(np.asarray(part, np.float64), length, axis=1) for part in (first, second)]
    cross = (spectra[0].conj() * spectra[1]).sum(axis=0)
    cross[-1] /= 2
    padded = np.zeros(length * _FRACTIONS // 2 + 1, complex)
    padded[: len(cross)] = cross
    products = np.fft.irfft(padded, length * _FRACTIONS) * _FRACTIONS
    reach = _MOST_SHIFT * _FRACTIONS
    shifts = np.arange(-reach, reach + 1)
    products = products[shifts]
    one = max(float((first**2).sum()) - first_noise, 0.0)
    other = max(float((second**2).sum()) - second_noise, 0.0)
    # a scale costs as much as it would be unusual among the spikes of one unit
    pull = 1 / _USUAL_SPREAD**2
    scale = np.clip((products + pull) / (one + pull), _SMALLEST_SCALE, _LARGEST_SCALE)
    squared = scale**2 * one - 2 * scale * products + other + pull * (scale - 1) ** 2
    best = int(squared.argmin())
    return float(np.sqrt(max(squared[best], 0.0))), round(shifts[best] / _FRACTIONS)


def difference(first: MeanSpike, second: MeanSpike) -> tuple[float, int]:
    """`distance` less what the noise of the averages and the usual variability of one unit's spikes contribute.

    On all channels of a dense probe together, the noise of a mean of few spikes is larger than the spike. So only those
    are compared on which either is more than noise.
    """
    seen = _seen(first) | _seen(second)
    noise = [float(part.noise[seen].sum()) for part in (first, second)]
    one, other = first.waveform[seen], second.waveform[seen]
    away, shift = distance(one, other, *noise)
    change = _USUAL_CHANGE**2 * max(float((one**2).sum()), float((other**2).sum()))
    return float(np.sqrt(max(away**2 - change, 0.0))), shift


def _seen(mean: MeanSpike) -> Bool[np.ndarray, " channels"]:
    """Channels on which a mean spike is more than noise, and in any case the largest."""
    energy, window = (mean.waveform**2).sum(axis=1), mean.waveform.shape[1]
    seen = energy > mean.noise * (1 + _CLEAR * np.sqrt(2 / (_INDEPENDENT * window)))
    seen[energy.argmax()] = True
    return seen
