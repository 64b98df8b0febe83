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

from spikeline.sorting.simsort.template_bank import TemplateBank
from spikeline.sorting.simsort.template_overlaps import UPSAMPLING

__all__ = ["MatchedSpikes", "match_spikes"]

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
    scores
        Log-likelihood ratio of each.
    """

    samples: np.ndarray
    unit_index: np.ndarray
    scores: np.ndarray


def fractional_taps(steps: int = UPSAMPLING, half: int = _HALF_TAPS) -> np.ndarray:
    """(2 steps + 1, 2 half) windowed-sinc weights to read a sequence at offsets -1 .. 1 in steps of 1/steps."""
    offsets = np.arange(-steps, steps + 1)[:, None] / steps
    at = np.arange(-half + 1, half + 1)[None, :]
    away = at - offsets
    window = np.cos(np.pi / 2 * np.clip(away / (half + 1.0), -1, 1)) ** 2
    taps = np.sinc(away) * window
    return (taps / taps.sum(axis=1, keepdims=True)).astype(np.float32)


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
def _peel(products, energy, log_odds, starts, others, overlaps, taps, prior, window, upsampling, refractory):
    """Take spikes away from ``products`` in place; returns their times, units and scores."""
    n_units, n_samples = products.shape
    best = np.empty(n_samples, np.float32)
    which = np.zeros(n_samples, np.int64)
    blocked = np.zeros((n_units, n_samples), np.bool_)
    _best_of(products, energy, log_odds, prior, blocked, 0, n_samples, best, which)
    times = []
    units = []
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
            scores.append(score)
            first, last = max(0, t - window + 1), min(n_samples, t + window)
            for pair in range(starts[k], starts[k + 1]):
                j = others[pair]
                for u in range(first, last):
                    lag = (u - t) * upsampling - fraction + window * upsampling
                    if 0 <= lag < overlaps.shape[1]:
                        products[j, u] -= amplitude * overlaps[pair, lag]
            for u in range(max(0, t - refractory), min(n_samples, t + refractory + 1)):
                blocked[k, u] = True
            _best_of(products, energy, log_odds, prior, blocked, first, last, best, which)
            for u in range(max(0, first - window), min(n_samples, last + window)):
                again[u] = True
            changed = True
            t += 1
        todo = again
    return times, units, scores


def match_spikes(
    traces: Float32[np.ndarray, "samples channels"], bank: TemplateBank, *, refractory: int = 8
) -> MatchedSpikes:
    """Find all spikes of all templates in whitened traces."""
    products, overlaps = bank.products(traces), bank.overlaps
    found = _peel(
        products, bank.energy, bank.log_odds, overlaps.starts, overlaps.others, overlaps.rows, fractional_taps(),
        np.float32(AMPLITUDE_SPREAD**-2), bank.waveforms.shape[2], UPSAMPLING, refractory,
    )  # fmt: skip
    times, units, scores = (np.asarray(part) for part in found)
    order = np.argsort(times, kind="stable")
    return MatchedSpikes(times[order], units[order].astype(np.int64), scores[order])
