"""Matched filtering: every spike of every unit, overlapping ones too, by taking the likeliest away again and again.

In whitened traces the logarithm of how much likelier the samples are with a spike of unit k at time t than without is
``a y - a^2 E / 2 - (a - 1)^2 / (2 s^2)``, y the inner product of samples and template, E the template's energy, a the
spike's amplitude with a normal prior around 1. A spike is accepted where that exceeds the logarithm of the odds against
a spike at this sample, so no threshold is left to choose.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numba
import numpy as np
from jaxtyping import Float32

__all__ = ["MatchedSpikes", "TemplateBank", "match_spikes"]

UPSAMPLING = 8
_HALF_TAPS = 6
AMPLITUDE_SPREAD = 0.15
"""Prior standard deviation of a spike's amplitude: bursts and variability of the packaged cells."""


@dataclass(frozen=True)
class MatchedSpikes:
    """Spikes found.

    Parameters
    ----------
    samples
        Peak times in samples, with fractions.
    unit_index
        Which template.
    amplitudes
        Times the template.
    scores
        Log-likelihood ratio of each.
    """

    samples: np.ndarray
    unit_index: np.ndarray
    amplitudes: np.ndarray
    scores: np.ndarray


def fractional_taps(steps: int = UPSAMPLING, half: int = _HALF_TAPS) -> np.ndarray:
    """(2 steps + 1, 2 half) windowed-sinc weights to read a sequence at offsets -1 .. 1 in steps of 1/steps."""
    offsets = np.arange(-steps, steps + 1)[:, None] / steps
    at = np.arange(-half + 1, half + 1)[None, :]
    away = at - offsets
    window = np.cos(np.pi / 2 * np.clip(away / (half + 1.0), -1, 1)) ** 2
    taps = np.sinc(away) * window
    return (taps / taps.sum(axis=1, keepdims=True)).astype(np.float32)


class TemplateBank:
    """Templates and what matching needs to know of them.

    Parameters
    ----------
    templates
        Whitened mean spikes, each with its peak at sample ``before``.
    before
        Samples before the peak.
    log_odds
        Logarithm of the odds against a spike of each unit at a given sample.
    """

    def __init__(
        self, templates: Float32[np.ndarray, "units channels window"], before: int, log_odds: np.ndarray
    ) -> None:
        self.templates = np.ascontiguousarray(templates, np.float32)
        self.before = before
        self.energy = np.einsum("kcw,kcw->k", self.templates, self.templates, dtype=np.float64).astype(np.float32)
        self.log_odds = np.asarray(log_odds, np.float32)
        self.overlap = _overlaps(self.templates)

    def products(self, traces: Float32[np.ndarray, "samples channels"]) -> np.ndarray:
        """(units, samples) inner products of every template with the samples around every sample."""
        import torch

        _, n_channels, window = self.templates.shape
        padded = np.zeros((n_channels, len(traces) + window - 1), np.float32)
        padded[:, self.before : self.before + len(traces)] = traces.T
        with torch.inference_mode():
            out = torch.nn.functional.conv1d(torch.from_numpy(padded)[None], torch.from_numpy(self.templates))
        return out[0].numpy()


def _overlaps(templates: np.ndarray) -> np.ndarray:
    """(units, units, lags) inner products of all pairs at lags -window .. window in steps of 1/UPSAMPLING.

    ``overlap[j, k, lag]``: how much the product of template j rises at a time ``lag`` after a spike of unit k.
    """
    n_units, _, window = templates.shape
    length = 1 << math.ceil(math.log2(4 * window))
    spectra = np.fft.rfft(templates.astype(np.float64), length, axis=-1)
    full = np.zeros((n_units, n_units, length * UPSAMPLING // 2 + 1), complex)
    cross = np.einsum("jcf,kcf->jkf", spectra.conj(), spectra)
    cross[..., -1] /= 2
    full[..., : cross.shape[-1]] = cross
    lags = np.fft.irfft(full, length * UPSAMPLING, axis=-1) * UPSAMPLING
    reach = window * UPSAMPLING
    return np.ascontiguousarray(np.concatenate([lags[..., -reach:], lags[..., : reach + 1]], axis=-1), np.float32)


@numba.njit(cache=True, nogil=True)
def _amplitude_and_score(y, energy, prior):
    amplitude = (y + prior) / (energy + prior)
    if amplitude < 0.4:
        amplitude = np.float32(0.4)
    elif amplitude > 1.8:
        amplitude = np.float32(1.8)
    return amplitude, amplitude * y - amplitude * amplitude * energy / 2 - (amplitude - 1) ** 2 * prior / 2


@numba.njit(cache=True, nogil=True)
def _best_of(products, energy, log_odds, prior, blocked, first, last, best, which):
    """Largest score beyond the odds at every sample of [first, last), and whose it is."""
    n_units = products.shape[0]
    for t in range(first, last):
        best[t] = np.float32(-1e9)
    for k in range(n_units):
        # Below this product no amplitude gives a score above the odds: most samples stop here
        enough = np.float32(math.sqrt(2 * energy[k] * max(log_odds[k], 0.0))) * np.float32(0.9)
        for t in range(first, last):
            y = products[k, t]
            if y < enough or blocked[k, t]:
                continue
            _, score = _amplitude_and_score(y, energy[k], prior)
            score -= log_odds[k]
            if score > best[t]:
                best[t] = score
                which[t] = k


@numba.njit(cache=True, nogil=True)
def _peel(products, energy, log_odds, overlap, taps, prior, window, upsampling, refractory, margin):
    """Take spikes away from ``products`` in place; returns their times, units, amplitudes and scores."""
    n_units, n_samples = products.shape
    best = np.empty(n_samples, np.float32)
    which = np.zeros(n_samples, np.int64)
    blocked = np.zeros((n_units, n_samples), np.bool_)
    _best_of(products, energy, log_odds, prior, blocked, 0, n_samples, best, which)
    times = []
    units = []
    amplitudes = []
    scores = []
    half = taps.shape[1] // 2
    todo = np.ones(n_samples, np.bool_)
    changed = True
    while changed:  # every turn takes at least one spike, so it ends
        changed = False
        t = 0
        again = np.zeros(n_samples, np.bool_)
        while t < n_samples:
            if not todo[t] or best[t] <= 0:
                t += 1
                continue
            # the best of its neighbourhood goes first
            low, high = max(0, t - window), min(n_samples, t + window + 1)
            top = t
            for u in range(low, high):
                if best[u] > best[top]:
                    top = u
            if top != t:
                if top > t:
                    t += 1
                    continue
                t += 1
                again[t - 1] = True
                continue
            k = which[t]
            fraction, highest = 0, products[k, t]
            if half <= t < n_samples - half:
                for f in range(upsampling // 2, taps.shape[0] - upsampling // 2):
                    value = np.float32(0)
                    for i in range(taps.shape[1]):
                        value += taps[f, i] * products[k, t - half + 1 + i]
                    if value > highest:
                        highest, fraction = value, f - upsampling
            amplitude, score = _amplitude_and_score(highest, energy[k], prior)
            times.append(t + fraction / upsampling)
            units.append(k)
            amplitudes.append(amplitude)
            scores.append(score)
            first, last = max(0, t - window + 1), min(n_samples, t + window)
            for j in range(n_units):
                for u in range(first, last):
                    lag = (u - t) * upsampling - fraction + window * upsampling
                    if 0 <= lag < overlap.shape[2]:
                        products[j, u] -= amplitude * overlap[j, k, lag]
            for u in range(max(0, t - refractory), min(n_samples, t + refractory + 1)):
                blocked[k, u] = True
            _best_of(products, energy, log_odds, prior, blocked, first, last, best, which)
            for u in range(max(0, first - window), min(n_samples, last + window)):
                again[u] = True
            changed = True
            t += 1
        todo = again
    return times, units, amplitudes, scores


def match_spikes(
    traces: Float32[np.ndarray, "samples channels"], bank: TemplateBank, *, refractory: int = 8
) -> MatchedSpikes:
    """Find all spikes of all templates in whitened traces."""
    products = bank.products(traces)
    found = _peel(
        products, bank.energy, bank.log_odds, bank.overlap, fractional_taps(), np.float32(AMPLITUDE_SPREAD**-2),
        bank.templates.shape[2], UPSAMPLING, refractory, 0,
    )  # fmt: skip
    times, units, amplitudes, scores = (np.asarray(part) for part in found)
    order = np.argsort(times, kind="stable")
    return MatchedSpikes(times[order], units[order].astype(np.int64), amplitudes[order], scores[order])
