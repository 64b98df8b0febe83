"""Spike trains, and the bank's spikes cut out so that they can be pasted at any time."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
from jaxtyping import Float, Float32, Float64, Int64
from numpy.typing import ArrayLike

from spikeline.config.recordings import SpikeTrainSettings
from spikeline.errors import ConfigError, DataError
from spikeline.simulation.bank import BankEntry

__all__ = ["SpikeSnippets", "check_spike_train", "cut_snippets", "draw_rate", "draw_spike_train", "match_snippets"]

_TAPER_MS = 0.5
_BURST_DELAY_MS = (4.0, 8.0)
_NEIGHBOURS = 8
_MAXIMUM_SNIPPETS = 1000


@dataclass(frozen=True)
class SpikeSnippets:
    """Single spikes of a bank entry.

    Parameters
    ----------
    components
        Scaled components, baseline removed and tapered to zero at both ends.
    centre
        Sample of the spike in a snippet.
    preceding_interval_s
        Time since the spike before; infinite for the first.
    """

    components: Float32[np.ndarray, "snippets rank width"]
    centre: int
    preceding_interval_s: Float64[np.ndarray, " snippets"]


def cut_snippets(entry: BankEntry, window_ms: tuple[float, float]) -> SpikeSnippets:
    """Cut the bank's spikes that have the window to themselves.

    The baseline taken off is the straight line between the means of the window's first and last 0.5 ms (slow currents
    that have nothing to do with the spike would otherwise end in a step), and both ends fade to zero over 0.5 ms. At
    most 1000 spikes, evenly spread, are kept.

    Parameters
    ----------
    entry
        A bank entry.
    window_ms
        Start (negative) and end (positive) of the window around the spike, ms.

    Raises
    ------
    ConfigError
        If the window does not hold the spike and both tapers.
    DataError
        If no spike of the entry has the window to itself.
    """
    return entry.once(("snippets", *window_ms), lambda: _cut(entry, window_ms))


def _cut(entry: BankEntry, window_ms: tuple[float, float]) -> SpikeSnippets:
    per_ms = entry.sampling_rate_hz * 1e-3
    before, after = round(window_ms[0] * per_ms), round(window_ms[1] * per_ms)
    taper = max(1, round(_TAPER_MS * per_ms))
    if before > -2 * taper or after < 2 * taper:
        raise ConfigError(
            f"spike_trains.snippet_ms: [{window_ms[0]:g}, {window_ms[1]:g}]",
            f"a window from at most {-2 * _TAPER_MS:g} ms before to at least {2 * _TAPER_MS:g} ms after the spike",
            "widen spike_trains.snippet_ms; [-3, 5] holds a whole spike",
        )
    spikes = np.asarray(entry.spike_samples, dtype=np.int64)
    gap_before = np.diff(spikes, prepend=-(2**62))
    gap_after = np.diff(spikes, append=2**62)
    alone = (
        (gap_before > -before) & (gap_after > after) & (spikes + before >= 0) & (spikes + after + 1 <= entry.n_samples)
    )
    chosen = np.flatnonzero(alone)
    if len(chosen) == 0:
        raise DataError(
            f"{entry.name}: none of {len(spikes)} spikes stands alone within {window_ms[0]:g} to {window_ms[1]:g} ms",
            "at least one spike with the window to itself",
            "narrow spike_trains.snippet_ms or simulate the bank for longer",
        )
    chosen = chosen[np.linspace(0, len(chosen) - 1, min(len(chosen), _MAXIMUM_SNIPPETS)).astype(int)]
    components = entry.windows(spikes[chosen] + before, after + 1 - before)
    _level_and_fade(components.reshape(-1, components.shape[2]), taper)
    intervals = np.where(chosen == 0, np.inf, gap_before[chosen] / entry.sampling_rate_hz)
    return SpikeSnippets(components, -before, intervals)


@numba.njit(cache=True, nogil=True)
def _level_and_fade(rows, taper):
    """Take the line between the means of both ends off each row, then fade both ends to zero, in place."""
    width = rows.shape[1]
    fade = np.ones(width, np.float32)
    for t in range(taper):
        fade[t] = fade[width - 1 - t] = np.float32(np.sin(np.pi / 2 * t / taper) ** 2)
    for i in range(rows.shape[0]):
        row = rows[i]
        left, right = row[:taper].mean(), row[width - taper :].mean()
        slope = (right - left) / (width - 1)
        for t in range(width):
            row[t] = (row[t] - np.float32(left + slope * t)) * fade[t]


def match_snippets(
    train_s: Float[np.ndarray, " spikes"],
    preceding_interval_s: Float[np.ndarray, " snippets"],
    rng: np.random.Generator,
) -> Int64[np.ndarray, " spikes"]:
    """For each spike of a train, the index of a bank spike that followed a pause of like length.

    One of the eight bank spikes nearest in log interval is drawn, so that amplitude depends on the interval as in the
    bank and still varies.
    """
    if len(train_s) == 0:
        return np.zeros(0, np.int64)
    longest = 1e3
    wanted = np.log(np.clip(np.diff(train_s, prepend=-np.inf), 1e-4, longest))
    have = np.log(np.clip(preceding_interval_s, 1e-4, longest))
    order = np.argsort(have, kind="stable")
    count = min(_NEIGHBOURS, len(have))
    # the run of `count` consecutive bank intervals around the wanted one
    first = np.clip(np.searchsorted(have[order], wanted) - count // 2, 0, len(have) - count)
    return order[first + rng.integers(count, size=len(wanted))]


def draw_rate(settings: SpikeTrainSettings, rng: np.random.Generator) -> float:
    """A mean rate in Hz, log-uniform within the bounds."""
    low, high = settings.rate_hz
    if low <= 0:
        raise ConfigError(
            f"spike_trains.rate_hz: [{low:g}, {high:g}]",
            "rates above 0",
            "raise the lower bound of spike_trains.rate_hz",
        )
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def draw_spike_train(
    rate_hz: float, duration_s: float, settings: SpikeTrainSettings, rng: np.random.Generator
) -> Float64[np.ndarray, " spikes"]:
    """A spike train: a renewal process whose intervals are a refractory period plus a gamma variate, or a burst's.

    After every spike the next one is a burst partner 4-8 ms later with probability ``burst_fraction``; otherwise it
    comes after the refractory period plus a gamma variate of coefficient of variation ``irregularity``. The mean rate
    counts all spikes.

    Returns
    -------
    numpy.ndarray
        Rising times in [0, duration), s.

    Raises
    ------
    ConfigError
        If the rate leaves no room for the refractory period and the bursts.
    """
    refractory = settings.refractory_ms * 1e-3
    delay_low, delay_high = (max(t * 1e-3, refractory) for t in _BURST_DELAY_MS)
    bursts = settings.burst_fraction
    mean_gamma = (1 / rate_hz - bursts * (delay_low + delay_high) / 2) / (1 - bursts) - refractory
    if mean_gamma <= 0:
        raise ConfigError(
            f"{rate_hz:g} Hz with a refractory period of {settings.refractory_ms:g} ms and bursts of {bursts:g}",
            "a mean interval longer than the refractory period and the burst delays",
            "lower spike_trains.rate_hz, refractory_ms or burst_fraction",
        )
    shape = 1 / settings.irregularity**2
    pieces: list[np.ndarray] = []
    now = -1 / rate_hz * rng.uniform()  # the train starts in the middle of an interval
    while now < duration_s:
        count = int(1.1 * (duration_s - now) * rate_hz) + 16
        gaps = refractory + rng.gamma(shape, mean_gamma / shape, count)
        delays = rng.uniform(delay_low, delay_high, count)
        pieces.append(now + np.cumsum(np.where(rng.random(count) < bursts, delays, gaps)))
        now = pieces[-1][-1]
    train = np.concatenate(pieces)
    return train[(train >= 0) & (train < duration_s)]


def check_spike_train(train_s: ArrayLike, duration_s: float, unit: int) -> Float64[np.ndarray, " spikes"]:
    """A prescribed spike train as float64, checked.

    Raises
    ------
    DataError
        If times are not numbers, not finite, not rising, equal, or outside [0, duration).
    """
    problem = None
    try:
        train = np.asarray(train_s, dtype=np.float64)
    except (TypeError, ValueError) as error:
        train, problem = np.zeros(0), f"is not a list of numbers ({error})"
    if problem:
        pass
    elif train.ndim != 1:
        problem = f"has shape {train.shape}"
    elif not np.isfinite(train).all():
        problem = "holds times that are not finite"
    elif (np.diff(train) <= 0).any():
        first = int(np.argmax(np.diff(train) <= 0))
        problem = f"is not in rising order ({train[first]:g} s is followed by {train[first + 1]:g} s)"
    elif len(train) and (train[0] < 0 or train[-1] >= duration_s):
        problem = f"runs from {train[0]:g} to {train[-1]:g} s"
    if problem:
        raise DataError(
            f"the spike train of unit {unit} {problem}",
            f"rising times in seconds within [0, {duration_s:g})",
            "sort it, give it in seconds, and cut it to the recording",
        )
    return train
