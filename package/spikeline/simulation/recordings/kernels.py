"""The engine's compiled kernels.

All in one file, and what they need from elsewhere as arguments: a compiled kernel is kept on the disk until its own
file changes, whatever happens to another file that it was compiled from.
"""

from __future__ import annotations

import numba
import numpy as np

__all__ = ["FINE_HALF", "REACH", "add_projected", "double_all", "gather", "paste"]

FINE_HALF = 6
"""Taps on each side of a value, at twice the bank's rate."""
REACH = FINE_HALF // 2 + 1
"""Of these taps, in bank samples, rounded up."""
_TILE = 512
# Where a turn needs every bank sample's value, or every other's, they are made for all of them at once.
_DENSE = 2


@numba.njit(cache=True, nogil=True, fastmath={"contract"})
def _add_scaled(weight, source, out):
    for t in range(len(out)):
        out[t] += weight * source[t]


@numba.njit(cache=True, nogil=True, fastmath={"contract"})
def _add_four(a, b, c, d, wa, wb, wc, wd, out):
    for t in range(len(out)):
        out[t] += (wa * a[t] + wb * b[t]) + (wc * c[t] + wd * d[t])


@numba.njit(cache=True, nogil=True)
def _copy_less(source, shift, target):
    for t in range(len(target)):
        target[t] = np.float32(source[t]) - shift


@numba.njit(cache=True, nogil=True)
def _convert(row, shift, start, seam, target):
    """Fill target (n,) float32 with stored values [start, start + n) of a component less ``shift``.

    ``seam``: samples over which the end fades into the beginning of a component that loops; negative: it does not loop.
    """
    n_samples, n = len(row), len(target)
    if seam < 0:
        low = min(max(0, -start), n)
        high = min(max(low, n_samples - start), n)
        target[:low] = np.float32(row[0]) - shift
        _copy_less(row[start + low : start + high], shift, target[low:high])
        target[high:] = np.float32(row[n_samples - 1]) - shift
        return
    period = n_samples - seam
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


@numba.njit(cache=True, nogil=True)
def gather(components, kept, offset, start, seam, out):
    """Fill out (rank, n) float32 with components [start, start + n) less their offset."""
    for r in range(len(kept)):
        _convert(components[kept[r]], offset[r], start, seam, out[r])


@numba.njit(cache=True, nogil=True)
def add_projected(components, kept, offset, start, seam, projection, out):
    """Add the projection (n_channels, rank) of components [start, start + n) to out (n_channels, n), tile by tile."""
    n_channels, n = out.shape
    rank = len(kept)
    some = np.empty((4, _TILE), np.float32)
    for first in range(0, n, _TILE):
        count = min(_TILE, n - first)
        for k in range(0, rank // 4 * 4, 4):
            for row in range(4):
                _convert(components[kept[k + row]], offset[k + row], start + first, seam, some[row, :count])
            for c in range(n_channels):
                _add_four(
                    some[0, :count], some[1, :count], some[2, :count], some[3, :count],
                    projection[c, k], projection[c, k + 1], projection[c, k + 2], projection[c, k + 3],
                    out[c, first : first + count],
                )  # fmt: skip
        for k in range(rank // 4 * 4, rank):
            _convert(components[kept[k]], offset[k], start + first, seam, some[0, :count])
            for c in range(n_channels):
                _add_scaled(projection[c, k], some[0, :count], out[c, first : first + count])


@numba.njit(cache=True, nogil=True)
def _see(snippet, seen, trace):
    """One channel's trace (width,) of a snippet (rank, width) with projection ``seen`` (rank,)."""
    rank = len(seen)
    trace[:] = 0.0
    for k in range(0, rank // 4 * 4, 4):
        _add_four(
            snippet[k], snippet[k + 1], snippet[k + 2], snippet[k + 3],
            seen[k], seen[k + 1], seen[k + 2], seen[k + 3], trace,
        )  # fmt: skip
    for k in range(rank // 4 * 4, rank):
        _add_scaled(seen[k], snippet[k], trace)


@numba.njit(cache=True, nogil=True)
def _double(snippet, projection, doubling, out):
    """Fill out (2, columns, n_channels) with a snippet (rank, width) under a projection (n_channels, rank).

    Row 0 lies at the bank's samples, row 1 half-way to the next; column 0 is sample ``- half - REACH - FINE_HALF``.
    """
    width, taps = snippet.shape[1], doubling.shape[1]
    before = taps // 2 + REACH + FINE_HALF
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
                    _add_scaled(doubling[row, j], padded[j : j + columns], wave)
            out[row, :, c] = wave


@numba.njit(cache=True, nogil=True)
def double_all(components, projection, doubling, out):
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


@numba.njit(cache=True, nogil=True)
def paste(
    components, doubled, centre, projection, times, which, below, weight, doubling, fine, grid, up, down, start, out
):  # fmt: skip
    """Add events to out (n, n_channels), whose first row is recording sample ``start``.

    Every ``up``-th sample of a spike lies at the same place between two bank samples, so one row of the fine table
    serves it. ``doubled`` (n_snippets, 2, columns, n_channels) holds the snippets after the first step; with none in
    it, each event's is made when it is pasted. ``times`` are in 1 / ``grid`` of a recording sample.
    """
    n_steps, n_channels, rank = projection.shape
    half, width = doubling.shape[1] // 2, components.shape[2]
    before, reach = half + REACH + FINE_HALF, half + REACH
    columns = doubled.shape[2]
    own = np.empty((2, columns if len(doubled) == 0 else 0, n_channels), np.float32)
    table = np.empty((n_channels, rank), np.float32)
    wave = np.empty((width + 2 * reach + 1) * n_channels, np.float32)
    phases = 2 * len(fine)  # places between two bank samples
    for e in range(len(times)):
        # bank position of recording sample n in the snippet: centre + (n - time / grid) * down / up, in units of 1 /
        # phases
        first = (times[e] * down - (centre + reach) * phases) // (down * grid) + 1
        last = (times[e] * down + (width - centre + reach) * phases) // (down * grid)
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
            place = centre * phases + ((first + turn) * grid - times[e]) * down
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
