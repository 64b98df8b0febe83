"""How different two mean spikes are, in standard deviations of the noise."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float64

from spikeline.sorting.simsort.mean_spikes import MeanSpike

__all__ = ["Difference", "difference", "distance"]

_MOST_SHIFT = 14  # so far the peak of one is still in the window of the other
_FRACTIONS = 8
_SMALLEST_SCALE, _LARGEST_SCALE = 0.7, 1.4
_USUAL_SPREAD = 0.15
_USUAL_CHANGE = 0.22  # of a template's norm, between parts of one unit
_CLEAR = 4.0  # standard deviations of the energy that noise leaves on a channel
_INDEPENDENT = 0.5  # of the samples: the band's share of all frequencies


class Difference(NamedTuple):
    """How one mean spike differs from another.

    Parameters
    ----------
    apart
        `distance`, less what noise and the usual variability of one unit's spikes contribute.
    shift
        How many samples later the second peaks.
    likeness
        Cosine between them where they fit best, whatever their sizes, of what is not noise.
    """

    apart: float
    shift: int
    likeness: float


def distance(
    first: Float[np.ndarray, "channels window"],
    second: Float[np.ndarray, "channels window"],
    first_noise: float = 0.0,
    second_noise: float = 0.0,
) -> tuple[float, int]:
    """Distance of two whitened templates, in standard deviations of the noise along the line between them.

    The least over shifts up to 14 samples in eighths, because means are aligned to whole samples only, and over the
    sizes that the spikes of one unit have. Also given: how many samples later the second peaks.

    Parameters
    ----------
    first, second
        Mean spikes.
    first_noise, second_noise
        Energy that noise has in them. It is taken out before sizes are compared: otherwise a mean of few spikes would
        come nearer to every other by being made smaller.
    """
    one, other = (float((part**2).sum()) for part in (first, second))
    return _least(_products(first, second), max(one - first_noise, 0.0), max(other - second_noise, 0.0))


def _least(products: np.ndarray, one: float, other: float) -> tuple[float, int]:
    """`distance` of templates with these inner products and energies."""
    # a scale costs as much as it would be unusual among the spikes of one unit
    pull = 1 / _USUAL_SPREAD**2
    scale = np.clip((products + pull) / (one + pull), _SMALLEST_SCALE, _LARGEST_SCALE)
    squared = scale**2 * one - 2 * scale * products + other + pull * (scale - 1) ** 2
    best = int(squared.argmin())
    return float(np.sqrt(max(squared[best], 0.0))), round((best - len(products) // 2) / _FRACTIONS)


def _products(first: np.ndarray, second: np.ndarray) -> Float64[np.ndarray, " shifts"]:
    """Inner products of the first, moved by -14 to 14 samples in eighths, and the second."""
    window = first.shape[1]
    length = 1 << math.ceil(math.log2(2 * window))
    spectra = [np.fft.rfft(np.asarray(part, np.float64), length, axis=1) for part in (first, second)]
    cross = (spectra[0].conj() * spectra[1]).sum(axis=0)
    cross[-1] /= 2
    padded = np.zeros(length * _FRACTIONS // 2 + 1, complex)
    padded[: len(cross)] = cross
    products = np.fft.irfft(padded, length * _FRACTIONS) * _FRACTIONS
    reach = _MOST_SHIFT * _FRACTIONS
    return products[np.arange(-reach, reach + 1)]


def difference(first: MeanSpike, second: MeanSpike) -> Difference:
    """Compare two mean spikes.

    On all channels of a dense probe together, the noise of a mean of few spikes is larger than the spike. So only those
    are compared on which either is more than noise.
    """
    seen = _seen(first) | _seen(second)
    products = _products(first.waveform[seen], second.waveform[seen])
    energies = [float((part.waveform[seen] ** 2).sum()) for part in (first, second)]
    clean = [
        max(energy - float(part.noise[seen].sum()), 0.0) for energy, part in zip(energies, (first, second), strict=True)
    ]
    away, shift = _least(products, *clean)
    change = _USUAL_CHANGE**2 * max(energies)
    norms = math.sqrt(clean[0] * clean[1])
    likeness = float(products.max()) / norms if norms > 0 else 0.0
    return Difference(math.sqrt(max(away**2 - change, 0.0)), shift, likeness)


def _seen(mean: MeanSpike) -> Bool[np.ndarray, " channels"]:
    """Channels on which a mean spike is more than noise, and in any case the largest."""
    energy, window = (mean.waveform**2).sum(axis=1), mean.waveform.shape[1]
    seen = energy > mean.noise * (1 + _CLEAR * np.sqrt(2 / (_INDEPENDENT * window)))
    seen[energy.argmax()] = True
    return seen
