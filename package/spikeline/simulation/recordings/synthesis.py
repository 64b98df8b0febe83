"""From placed sources to traces: the one engine behind lazy recordings, written recordings and training loaders.

All arithmetic runs at the bank's rate on components (rank x samples), is projected to channels, and only then
interpolated to the recording's rate. Sample k of a recording lies at bank position ``first + k * down / up``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numba
import numpy as np
from jaxtyping import Float32

from spikeline.errors import DataError
from spikeline.simulation.recordings.interpolation import Interpolator, interpolate, interpolation_table
from spikeline.simulation.recordings.sources import EVENT_PHASES, LOOP_SEAM, ContinuousSource, EventSource, Motion

__all__ = ["Synthesiser", "synthesise"]


@numba.njit(cache=True, nogil=True)
def _copy_less(source, shift, target):
    for t in range(len(target)):
        target[t] = np.float32(source[t]) - shift


@numba.njit(cache=True, nogil=True)
def _gather(components, kept, offset, start, loops, out):
    """Fill out (rank, n) float32 with components [start, start + n) less their offset."""
    n_samples = components.shape[1]
    n = out.shape[1]
    seam = min(LOOP_SEAM, n_samples // 4) if loops else 0
    period = n_samples - seam
    for r in range(len(kept)):
        row = components[kept[r]]
        target = out[r]
        shift = offset[r]
        if not loops:
            low = min(max(0, -start), n)
            high = min(max(low, n_samples - start), n)
            target[:low] = np.float32(row[0]) - shift
            _copy_less(row[start + low : start + high], shift, target[low:high])
            target[high:] = np.float32(row[n_samples - 1]) - shift
            continue
        t = 0
        while t < n:
            place = (start + t) % period
            if place < seam:  # the end of the entry fades into its beginning
                weight = np.float32(place) / np.float32(seam)
                target[t] = (
                    weight * np.float32(row[place]) + (np.float32(1) - weight) * np.float32(row[place + period]) - shift
                )
                t += 1
            else:
                count = min(period - place, n - t)
                _copy_less(row[place : place + count], shift, target[t : t + count])
                t += count


@numba.njit(cache=True, nogil=True, fastmath={"contract"})
def _add_scaled(weight, source, out):
    for t in range(len(out)):
        out[t] += weight * source[t]


@numba.njit(cache=True, nogil=True, fastmath={"contract"})
def _add_four(a, b, c, d, wa, wb, wc, wd, out):
    for t in range(len(out)):
        out[t] += (wa * a[t] + wb * b[t]) + (wc * c[t] + wd * d[t])


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


# Where a turn needs every bank sample's convolution, or every other's, it is made for all of them at once.
_DENSE = 2


@numba.njit(cache=True, nogil=True)
def _paste(components, centre, projection, times, which, below, weight, table, half, up, down, start, out):
    """Add events to out (n, n_channels), whose first row is recording sample ``start``.

    Every ``up``-th sample of a spike lies at the same place between two bank samples, so it takes ``up`` convolutions
    of the projected snippet with one row of the table each. They are computed for whole snippets, whatever the window:
    a spike's samples do not depend on it.
    """
    n_steps, n_channels, rank = projection.shape
    width = components.shape[2]
    margin = 2 * half
    # whole vectors: a loop's left-over elements cost more than the zeros that fill it up
    count = -(-(width + margin + 2) // 64) * 64
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
            trace[:] = 0.0
            for k in range(rank):
                seen[k] = projection[low, c, k] + weight[e] * (projection[high, c, k] - projection[low, c, k])
            for k in range(0, rank // 4 * 4, 4):
                _add_four(
                    snippet[k], snippet[k + 1], snippet[k + 2], snippet[k + 3],
                    seen[k], seen[k + 1], seen[k + 2], seen[k + 3], trace,
                )  # fmt: skip
            for k in range(rank // 4 * 4, rank):
                _add_scaled(seen[k], snippet[k], trace)
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
                        _add_scaled(weights[j], padded[base + j : base + j + count], wave)
                else:
                    for t in range(0, reached, down):
                        wave[t] = _weighted_sum(weights, padded[base + t : base + t + margin])
                # wave[m * down] belongs to sample ``origin + m * up``; of these some lie in the window
                origin = first + turn + skip * up - start
                low_m = max(0, -(origin // up))
                high_m = min((min(last - start, len(target) - 1) - origin) // up, (reached - 1) // down)
                for m in range(low_m, high_m + 1):
                    target[np.uint64(origin + m * up)] += wave[np.uint64(m * down)]


# Up to this many channels (a tetrode, a small grid) our own product is nearly as fast as BLAS, and its rounding does
# not depend on how many threads somebody else in the process lets BLAS use.
_FEW_CHANNELS = 32
_TILE = 512


@numba.njit(cache=True, nogil=True, fastmath={"contract"})
def _multiply(components, projection, out):
    """Projection (n_channels, rank) times components (rank, n) into out (n_channels, n), in cache-sized tiles."""
    n_channels, n = out.shape
    rank = components.shape[0]
    by_four = rank // 4 * 4
    for first in range(0, n, _TILE):
        last = min(first + _TILE, n)
        for c in range(n_channels):
            target = out[c, first:last]
            weights = projection[c]
            target[:] = 0.0
            for k in range(0, by_four, 4):
                _add_four(
                    components[k, first:last], components[k + 1, first:last],
                    components[k + 2, first:last], components[k + 3, first:last],
                    weights[k], weights[k + 1], weights[k + 2], weights[k + 3], target,
                )  # fmt: skip
            for k in range(by_four, rank):
                row, weight = components[k, first:last], weights[k]
                for t in range(len(target)):
                    target[t] += weight * row[t]


def _product(components: np.ndarray, projection: np.ndarray) -> np.ndarray:
    """(n, n_channels) of components (rank, n) and a projection (n_channels, rank)."""
    if len(projection) > _FEW_CHANNELS:
        return components.T @ projection.T
    out = np.empty((len(projection), components.shape[1]), np.float32)
    _multiply(components, np.ascontiguousarray(projection), out)
    return out.T


def _project(
    components: np.ndarray, projection: np.ndarray, below: np.ndarray | None, weight: np.ndarray | None
) -> np.ndarray:
    """Traces (n, n_channels) of components (rank, n) under a projection (n_steps, n_channels, rank) that may move."""
    if below is None or len(projection) == 1:
        return _product(components, projection[0])
    out = np.empty((components.shape[1], projection.shape[1]), np.float32)
    edges = np.flatnonzero(np.diff(below)) + 1
    for start, stop in zip([0, *edges], [*edges, len(below)], strict=True):
        step = below[start]
        part = components[:, start:stop]
        lower = _product(part, projection[step])
        upper = _product(part, projection[min(step + 1, len(projection) - 1)])
        out[start:stop] = lower + weight[start:stop, None] * (upper - lower)
    return out


class Synthesiser:
    """Traces of a fixed set of sources, for any window, without noise.

    Parameters
    ----------
    sources
        What is recorded.
    n_channels
        Number of channels.
    plan
        From the bank's rate to the recording's (`interpolation.interpolator`).
    bank_rate_hz
        Sampling rate of the sources' components, Hz.
    motion
        Drift, or None.

    Raises
    ------
    DataError
        If a source was projected to another number of channels or drift steps.
    """

    def __init__(
        self,
        sources: Sequence[ContinuousSource | EventSource],
        *,
        n_channels: int,
        plan: Interpolator,
        bank_rate_hz: float,
        motion: Motion | None = None,
    ) -> None:
        self.n_channels, self.plan, self.bank_rate_hz, self.motion = n_channels, plan, bank_rate_hz, motion
        steps = 1 if motion is None else len(motion.grid_um)
        for source in sources:
            seen = source.projection.shape[0], source.projection.shape[1]
            if seen[1] != n_channels or seen[0] not in (1, steps):
                raise DataError(
                    f"a source projected to {seen[1]} channels at {seen[0]} displacements",
                    f"{n_channels} channels at {steps} (or 1) displacements",
                    "project every source with the same contacts and drift grid",
                )
        self.continuous = [s for s in sources if isinstance(s, ContinuousSource)]
        self.events = [s for s in sources if isinstance(s, EventSource)]
        # one matrix for all continuous sources, so that a window costs one product
        self.projection = np.concatenate(
            [np.broadcast_to(s.projection, (steps, *s.projection.shape[1:])) for s in self.continuous], axis=2
        ) if self.continuous else np.zeros((steps, n_channels, 0), np.float32)  # fmt: skip
        self.event_table = (
            interpolation_table(EVENT_PHASES * plan.up, min(1.0, plan.up / plan.down)) if self.events else None
        )

    def components(self, low: int, high: int) -> Float32[np.ndarray, "total_rank {high}-{low}"]:
        """Components of all continuous sources at bank samples [low, high) after the first."""
        out = np.empty((self.projection.shape[2], high - low), np.float32)
        row = 0
        for source in self.continuous:
            rank = len(source.kept)
            _gather(
                source.components, source.kept, source.offset, source.first + low, source.loops, out[row : row + rank]
            )
            row += rank
        return out

    def traces(
        self,
        start: int,
        stop: int,
        noise: Float32[np.ndarray, "{stop}-{start} {self.n_channels}"] | None = None,
    ) -> Float32[np.ndarray, "{stop}-{start} {self.n_channels}"]:
        """Recording samples [start, stop), uV.

        ``noise`` is added in, in place, and what is returned may share its memory.
        """
        if self.projection.shape[2] and stop > start:
            low, high = self.plan.input_span(start, stop)
            below = weight = None
            if self.motion is not None:
                below, weight = self.motion.position(np.arange(low, high) / self.bank_rate_hz)
            projected = _project(self.components(low, high), self.projection, below, weight)
            out = np.ascontiguousarray(interpolate(projected, low, start, stop, self.plan))
            if noise is not None:
                out += noise
        elif noise is not None:
            out = noise
        else:
            out = np.zeros((stop - start, self.n_channels), np.float32)
        for source in self.events:
            self._add_events(source, start, stop, out)
        return out

    def _add_events(self, source: EventSource, start: int, stop: int, out: np.ndarray) -> None:
        up, down, half = self.plan.up, self.plan.down, self.event_table.shape[1] // 2
        reach = math.ceil((source.components.shape[2] + 2 * half) * up / down) * EVENT_PHASES
        first, last = np.searchsorted(source.times, [start * EVENT_PHASES - reach, stop * EVENT_PHASES + reach])
        times = source.times[first:last]
        if len(times) == 0:
            return
        if self.motion is None or len(source.projection) == 1:
            below, weight = np.zeros(len(times), np.int64), np.zeros(len(times), np.float32)
        else:
            below, weight = self.motion.position(times / (EVENT_PHASES * self.bank_rate_hz * up / down))
        _paste(
            source.components, source.centre, source.projection, times, source.which[first:last],
            below, weight, self.event_table, half, up, down, start, out,
        )  # fmt: skip


def synthesise(
    sources: Sequence[ContinuousSource | EventSource],
    n_samples: int,
    *,
    n_channels: int,
    plan: Interpolator,
    bank_rate_hz: float,
    start: int = 0,
    motion: Motion | None = None,
) -> Float32[np.ndarray, "{n_samples} {n_channels}"]:
    """`Synthesiser` for one window, recording samples [start, start + n_samples), uV."""
    engine = Synthesiser(sources, n_channels=n_channels, plan=plan, bank_rate_hz=bank_rate_hz, motion=motion)
    return engine.traces(start, start + n_samples)
