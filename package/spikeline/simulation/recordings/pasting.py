"""Spikes pasted into a recording at any time, between samples."""

from __future__ import annotations

import math

import numba
import numpy as np
from jaxtyping import Float32

from spikeline.simulation.recordings.interpolation import Interpolator, interpolation_table
from spikeline.simulation.recordings.sources import EVENT_PHASES, EventSource, Motion
from spikeline.simulation.recordings.weighted_sums import add_four, add_scaled

__all__ = ["SpikePaster", "event_table"]


@numba.njit(cache=True, nogil=True, fastmath={"contract"})
def _add_eight(weights, source, out):
    """Eight neighbouring taps at a time: out is read and written an eighth as often."""
    n = len(out)
    w0, w1, w2, w3, w4, w5, w6, w7 = (
        weights[0], weights[1], weights[2], weights[3], weights[4], weights[5], weights[6], weights[7],
    )  # fmt: skip
    a, b, c, d = source[:n], source[1 : n + 1], source[2 : n + 2], source[3 : n + 3]
    e, f, g, h = source[4 : n + 4], source[5 : n + 5], source[6 : n + 6], source[7 : n + 7]
    for t in range(n):
        out[t] += ((w0 * a[t] + w1 * b[t]) + (w2 * c[t] + w3 * d[t])) + (
            (w4 * e[t] + w5 * f[t]) + (w6 * g[t] + w7 * h[t])
        )


@numba.njit(cache=True, nogil=True, fastmath={"contract", "reassoc", "nsz"})
def _weighted_sum(weights, source):
    total = np.float32(0)
    for t in range(len(weights)):
        total += weights[t] * source[t]
    return total


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
def _see_all(components, projection, out):
    """Traces (n_snippets, n_channels, width) of all snippets under one projection (n_channels, rank)."""
    for s in range(out.shape[0]):
        for c in range(out.shape[1]):
            _see(components[s], projection[c], out[s, c])


# Where a turn needs every bank sample's convolution, or every other's, it is made for all of them at once.
_DENSE = 2


@numba.njit(cache=True, nogil=True)
def _paste(components, seen_before, centre, projection, times, which, below, weight, table, half, up, down, start, out):
    """Add events to out (n, n_channels), whose first row is recording sample ``start``.

    Every ``up``-th sample of a spike lies at the same place between two bank samples, so it takes ``up`` convolutions
    of the projected snippet with one row of the table each. They are computed for whole snippets, whatever the window:
    a spike's samples do not depend on it. ``seen_before`` (n_snippets, n_channels, width) holds the snippets as the
    channels see them; with no snippets in it, each event's is projected when it is pasted.
    """
    n_steps, n_channels, rank = projection.shape
    width = components.shape[2]
    margin = 2 * half
    # whole vectors: a loop's left-over elements cost more than the zeros that fill it up
    count = -(-(width + margin + 2) // 16) * 16
    padded = np.zeros(count + 2 * margin + width, np.float32)
    trace = padded[margin : margin + width]
    wave = np.empty(count, np.float32)
    seen = np.empty(rank, np.float32)
    phases = table.shape[0]  # EVENT_PHASES * up
    for e in range(len(times)):
        # bank position of recording sample n in the snippet: centre + (n - time / 16) * down / up, in units of 1 /
        # phases
        first = (times[e] * down - (centre + half) * phases) // (down * EVENT_PHASES) + 1
        last = (times[e] * down + (width - centre + half) * phases) // (down * EVENT_PHASES)
        if last < start or first >= start + out.shape[0]:
            continue
        low = below[e]
        high = min(low + 1, n_steps - 1)
        snippet = components[which[e]]
        for c in range(n_channels):
            target = out[:, c]
            if len(seen_before):
                trace[:] = seen_before[which[e], c]
            else:
                for k in range(rank):
                    seen[k] = projection[low, c, k] + weight[e] * (projection[high, c, k] - projection[low, c, k])
                _see(snippet, seen, trace)
            for turn in range(min(up, last - first + 1)):
                # this turn's samples: first + turn, first + turn + up, ..., each ``down`` bank samples after the other
                place = centre * phases + ((first + turn) * EVENT_PHASES - times[e]) * down
                base = place // phases - half + 1 + margin
                weights = table[place % phases]
                skip = -(min(base, 0) // down)
                base += skip * down
                reached = width + margin - base + 1
                if reached <= 0:
                    continue
                if down <= _DENSE:
                    wave[:] = 0.0
                    for j in range(0, margin // 8 * 8, 8):
                        _add_eight(weights[j : j + 8], padded[base + j : base + j + count + 7], wave)
                    for j in range(margin // 8 * 8, margin):
                        add_scaled(weights[j], padded[base + j : base + j + count], wave)
                else:
                    for t in range(0, reached, down):
                        wave[t] = _weighted_sum(weights, padded[base + t : base + t + margin])
                # wave[m * down] belongs to sample ``origin + m * up``; of these some lie in the window
                origin = first + turn + skip * up - start
                low_m = max(0, -(origin // up))
                high_m = min((min(last - start, len(target) - 1) - origin) // up, (reached - 1) // down)
                for m in range(low_m, high_m + 1):
                    target[np.uint64(origin + m * up)] += wave[np.uint64(m * down)]


# Snippets as the channels see them are kept where they are few values: a tetrode's are some 20,000.
_KEPT_VALUES = 2**19


def _all_seen(source: EventSource) -> np.ndarray:
    """(n_snippets, n_channels, width) of a source that stays where it is; no snippets if it moves or they are many."""
    n_snippets, _, width = source.components.shape
    steps, n_channels, _ = source.projection.shape
    kept = steps == 1 and n_snippets * n_channels * width <= _KEPT_VALUES
    out = np.empty((n_snippets if kept else 0, n_channels, width), np.float32)
    _see_all(source.components, source.projection[0], out)
    return out


def event_table(plan: Interpolator) -> Float32[np.ndarray, "phases taps"]:
    """Weights for every place between two bank samples that a sample of a pasted spike can have."""
    return interpolation_table(EVENT_PHASES * plan.up, min(1.0, plan.up / plan.down))


class SpikePaster:
    """Adds one source's spikes to any window.

    Parameters
    ----------
    source
        What is pasted, and when.
    plan
        From the bank's rate to the recording's.
    table
        `event_table` of the plan.
    bank_rate_hz
        Sampling rate of the snippets, Hz.
    motion
        Drift, or None.
    """

    def __init__(
        self,
        source: EventSource,
        plan: Interpolator,
        table: Float32[np.ndarray, "phases taps"],
        bank_rate_hz: float,
        motion: Motion | None,
    ) -> None:
        self._source, self._plan, self._table = source, plan, table
        self._bank_rate_hz, self._motion = bank_rate_hz, motion
        self._seen_before = _all_seen(source)

    def add(self, start: int, stop: int, out: Float32[np.ndarray, "{stop}-{start} channels"]) -> None:
        """Add what falls into recording samples [start, stop), uV."""
        source, up, down, half = self._source, self._plan.up, self._plan.down, self._table.shape[1] // 2
        reach = math.ceil((source.components.shape[2] + 2 * half) * up / down) * EVENT_PHASES
        first, last = np.searchsorted(source.times, [start * EVENT_PHASES - reach, stop * EVENT_PHASES + reach])
        times = source.times[first:last]
        if len(times) == 0:
            return
        if self._motion is None or len(source.projection) == 1:
            below, weight = np.zeros(len(times), np.int64), np.zeros(len(times), np.float32)
        else:
            below, weight = self._motion.position(times / (EVENT_PHASES * self._bank_rate_hz * up / down))
        _paste(
            source.components, self._seen_before, source.centre, source.projection, times, source.which[first:last],
            below, weight, self._table, half, up, down, start, out,
        )  # fmt: skip
