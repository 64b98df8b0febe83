"""Spikes pasted into a recording at any time, between samples.

In two steps. A snippet as the channels see it is first brought to twice the bank's rate, which takes 32 taps per sample
and, for a cell that stays where it is, happens once. What it holds now lies below half of the Nyquist frequency, where
12 taps find any value between two samples; those are all that is left to do per event.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numba
import numpy as np
from jaxtyping import Float32

from spikeline.simulation.recordings.interpolation import Interpolator, interpolation_table
from spikeline.simulation.recordings.sources import EVENT_PHASES, EventSource, Motion
from spikeline.simulation.recordings.weighted_sums import add_four, add_scaled

__all__ = ["FINE_HALF", "EventTables", "SpikePaster", "event_tables"]

FINE_HALF = 6
"""Taps on each side of a value, at twice the bank's rate."""
_REACH = FINE_HALF // 2 + 1  # of the second step, in bank samples, rounded up


class EventTables(NamedTuple):
    """Weights of the two steps.

    Parameters
    ----------
    doubling
        Two rows: at a bank sample and half-way to the next; ``2 * half`` taps, as in `interpolation_table`.
    fine
        For every place that a recording's sample can have between two samples of the doubled snippet, the weights of
        every other sample and of those between.
    """

    doubling: Float32[np.ndarray, "2 taps"]
    fine: Float32[np.ndarray, "phases 2 six"]

    @property
    def half(self) -> int:
        """Taps of the first step on each side."""
        return self.doubling.shape[1] // 2


def event_tables(plan: Interpolator) -> EventTables:
    """The tables between the bank's rate and a recording's."""
    fine = interpolation_table(EVENT_PHASES * plan.up // 2, half_width=FINE_HALF)
    return EventTables(
        interpolation_table(2, min(1.0, plan.up / plan.down)),
        np.ascontiguousarray(fine.reshape(len(fine), FINE_HALF, 2).transpose(0, 2, 1)),
    )


@numba.njit(cache=True, nogil=True)
def _see(snippet, seen, trace):
    """One channel's trace (width,) of a snippet (rank, width) with projection ``seen`` (rank,)."""
    rank = len(seen)
    trace[:] = 0.0
    for k in range(0, rank // 4 * 4, 4):
        add_four(
            snippet[k], snippet[k + 1], snippet[k + 2], snippet[k + 3],
            seen[k], seen[k + 1], seen[k + 2], seen[k + 3], trace,
        )  # fmt: skip
    for k in range(rank // 4 * 4, rank):
        add_scaled(seen[k], snippet[k], trace)


@numba.njit(cache=True, nogil=True)
def _double(snippet, projection, doubling, out):
    """Fill out (2, columns, n_channels) with a snippet (rank, width) under a projection (n_channels, rank).

    Row 0 lies at the bank's samples, row 1 half-way to the next; column 0 is sample ``- half - _REACH - FINE_HALF``.
    """
    width, taps = snippet.shape[1], doubling.shape[1]
    before = taps // 2 + _REACH + FINE_HALF
    columns = out.shape[1]
    padded = np.zeros(columns + taps, np.float32)
    first = before + taps // 2 - 1
    trace = padded[first : first + width]
    wave = np.empty(columns, np.float32)
    for c in range(out.shape[2]):
        _see(snippet, projection[c], trace)
        for row in range(2):
            wave[:] = 0.0
            for j in range(taps):
                if doubling[row, j] != 0.0:
                    add_scaled(doubling[row, j], padded[j : j + columns], wave)
            out[row, :, c] = wave


@numba.njit(cache=True, nogil=True)
def _double_all(components, projection, doubling, out):
    for snippet in range(len(out)):
        _double(components[snippet], projection, doubling, out[snippet])


@numba.njit(cache=True, nogil=True, fastmath={"contract"})
def _weigh(weights, first, second, step, out):
    """Twelve taps, six from either row of a doubled snippet, each ``step`` values after the other."""
    a0, a1, a2, a3, a4, a5 = weights[0, 0], weights[0, 1], weights[0, 2], weights[0, 3], weights[0, 4], weights[0, 5]
    b0, b1, b2, b3, b4, b5 = weights[1, 0], weights[1, 1], weights[1, 2], weights[1, 3], weights[1, 4], weights[1, 5]
    n = len(out)
    p0, p1, p2 = first[:n], first[step : step + n], first[2 * step : 2 * step + n]
    p3, p4, p5 = first[3 * step : 3 * step + n], first[4 * step : 4 * step + n], first[5 * step : 5 * step + n]
    q0, q1, q2 = second[:n], second[step : step + n], second[2 * step : 2 * step + n]
    q3, q4, q5 = second[3 * step : 3 * step + n], second[4 * step : 4 * step + n], second[5 * step : 5 * step + n]
    for t in range(n):
        out[t] = ((a0 * p0[t] + a1 * p1[t]) + (a2 * p2[t] + a3 * p3[t])) + (
            ((a4 * p4[t] + a5 * p5[t]) + (b0 * q0[t] + b1 * q1[t]))
            + ((b2 * q2[t] + b3 * q3[t]) + (b4 * q4[t] + b5 * q5[t]))
        )


# Where a turn needs every bank sample's value, or every other's, they are made for all of them at once.
_DENSE = 2


@numba.njit(cache=True, nogil=True)
def _paste(
    components, doubled, centre, projection, times, which, below, weight, doubling, fine, up, down, start, out
):  # fmt: skip
    """Add events to out (n, n_channels), whose first row is recording sample ``start``.

    Every ``up``-th sample of a spike lies at the same place between two bank samples, so one row of the fine table
    serves it. ``doubled`` (n_snippets, 2, columns, n_channels) holds the snippets after the first step; with none in
    it, each event's is made when it is pasted.
    """
    n_steps, n_channels, rank = projection.shape
    half, width = doubling.shape[1] // 2, components.shape[2]
    before, reach = half + _REACH + FINE_HALF, half + _REACH
    columns = doubled.shape[2]
    own = np.empty((2, columns if len(doubled) == 0 else 0, n_channels), np.float32)
    table = np.empty((n_channels, rank), np.float32)
    wave = np.empty((width + 2 * reach + 1) * n_channels, np.float32)
    phases = 2 * len(fine)  # places between two bank samples
    for e in range(len(times)):
        # bank position of recording sample n in the snippet: centre + (n - time / 16) * down / up, in units of 1 /
        # phases
        first = (times[e] * down - (centre + reach) * phases) // (down * EVENT_PHASES) + 1
        last = (times[e] * down + (width - centre + reach) * phases) // (down * EVENT_PHASES)
        if last < start or first >= start + out.shape[0]:
            continue
        if len(doubled):
            rows = doubled[which[e]]
        else:
            low = below[e]
            high = min(low + 1, n_steps - 1)
            for c in range(n_channels):
                for k in range(rank):
                    table[c, k] = projection[low, c, k] + weight[e] * (projection[high, c, k] - projection[low, c, k])
            _double(components[which[e]], table, doubling, own)
            rows = own
        for turn in range(min(up, last - first + 1)):
            # this turn's samples: first + turn, first + turn + up, ..., each ``down`` bank samples after the other
            origin = first + turn - start
            low_m = max(0, -(origin // up))
            high_m = (min(last - start, len(out) - 1) - origin) // up
            if high_m < low_m:
                continue
            place = centre * phases + ((first + turn) * EVENT_PHASES - times[e]) * down
            sample = place // len(fine) - FINE_HALF + 1  # the first tap's, in samples of the doubled snippet
            weights = fine[place % len(fine)]
            row = sample & 1
            column = (sample >> 1) + before + low_m * down
            one = rows[row].reshape(-1)[column * n_channels :]
            other = rows[1 - row].reshape(-1)[(column + row) * n_channels :]
            if down <= _DENSE:
                made = ((high_m - low_m) * down + 1) * n_channels
                _weigh(weights, one, other, n_channels, wave[:made])
            else:
                for m in range(high_m - low_m + 1):
                    there = m * down * n_channels
                    _weigh(weights, one[there:], other[there:], n_channels, wave[there : there + n_channels])
            for m in range(high_m - low_m + 1):
                target = out[np.uint64(origin + (low_m + m) * up)]
                there = m * down * n_channels
                for c in range(n_channels):
                    target[c] += wave[np.uint64(there + c)]


# Doubled snippets are kept where they are few values: a tetrode's are some 50,000.
_KEPT_VALUES = 2**20


def _all_doubled(source: EventSource, tables: EventTables) -> np.ndarray:
    """(n_snippets, 2, columns, n_channels) of a source that stays where it is; none if it moves or they are many."""
    n_snippets, _, width = source.components.shape
    steps, n_channels, _ = source.projection.shape
    columns = width + 2 * (tables.half + _REACH + FINE_HALF) + 1
    kept = steps == 1 and n_snippets * 2 * columns * n_channels <= _KEPT_VALUES
    out = np.empty((n_snippets if kept else 0, 2, columns, n_channels), np.float32)
    _double_all(source.components, source.projection[0], tables.doubling, out)
    return out


class SpikePaster:
    """Adds one source's spikes to any window.

    Parameters
    ----------
    source
        What is pasted, and when.
    plan
        From the bank's rate to the recording's.
    tables
        `event_tables` of the plan.
    bank_rate_hz
        Sampling rate of the snippets, Hz.
    motion
        Drift, or None.
    """

    def __init__(
        self,
        source: EventSource,
        plan: Interpolator,
        tables: EventTables,
        bank_rate_hz: float,
        motion: Motion | None,
    ) -> None:
        self._source, self._plan, self._tables = source, plan, tables
        self._bank_rate_hz, self._motion = bank_rate_hz, motion
        self._doubled = _all_doubled(source, tables)

    def add(self, start: int, stop: int, out: Float32[np.ndarray, "{stop}-{start} channels"]) -> None:
        """Add what falls into recording samples [start, stop), uV."""
        source, up, down = self._source, self._plan.up, self._plan.down
        longest = source.components.shape[2] + 2 * (self._tables.half + _REACH)
        reach = math.ceil(longest * up / down) * EVENT_PHASES
        first, last = np.searchsorted(source.times, [start * EVENT_PHASES - reach, stop * EVENT_PHASES + reach])
        times = source.times[first:last]
        if len(times) == 0:
            return
        if self._motion is None or len(source.projection) == 1:
            below, weight = np.zeros(len(times), np.int64), np.zeros(len(times), np.float32)
        else:
            below, weight = self._motion.position(times / (EVENT_PHASES * self._bank_rate_hz * up / down))
        _paste(
            source.components, self._doubled, source.centre, source.projection, times, source.which[first:last],
            below, weight, *self._tables, up, down, start, out,
        )  # fmt: skip
