"""Stretches of bank currents as the channels see them: stored components converted, then projected.

On a few channels (a tetrode, a small grid) both are done in one pass over tiles that stay in the first-level cache:
what limits is the memory the components lie in, and they are read once, as stored. Many channels are worth a matrix of
converted components and BLAS.
"""

from __future__ import annotations

from collections.abc import Sequence

import numba
import numpy as np
from jaxtyping import Float32, Int64

from spikeline.simulation.recordings.sources import LOOP_SEAM, ContinuousSource
from spikeline.simulation.recordings.weighted_sums import add_four, add_scaled

__all__ = ["project"]

# Up to this many channels our own product is at least as fast as BLAS, and its rounding does not depend on how many
# threads somebody else in the process lets BLAS use.
_FEW_CHANNELS = 32
_TILE = 512


@numba.njit(cache=True, nogil=True)
def _copy_less(source, shift, target):
    for t in range(len(target)):
        target[t] = np.float32(source[t]) - shift


@numba.njit(cache=True, nogil=True)
def _convert(row, shift, start, loops, target):
    """Fill target (n,) float32 with stored values [start, start + n) of a component less ``shift``."""
    n_samples, n = len(row), len(target)
    if not loops:
        low = min(max(0, -start), n)
        high = min(max(low, n_samples - start), n)
        target[:low] = np.float32(row[0]) - shift
        _copy_less(row[start + low : start + high], shift, target[low:high])
        target[high:] = np.float32(row[n_samples - 1]) - shift
        return
    seam = min(LOOP_SEAM, n_samples // 4)
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
def _gather(components, kept, offset, start, loops, out):
    """Fill out (rank, n) float32 with components [start, start + n) less their offset."""
    for r in range(len(kept)):
        _convert(components[kept[r]], offset[r], start, loops, out[r])


@numba.njit(cache=True, nogil=True)
def _add_projected(components, kept, offset, start, loops, projection, out):
    """Add the projection (n_channels, rank) of components [start, start + n) to out (n_channels, n), tile by tile."""
    n_channels, n = out.shape
    rank = len(kept)
    some = np.empty((4, _TILE), np.float32)
    for first in range(0, n, _TILE):
        count = min(_TILE, n - first)
        for k in range(0, rank // 4 * 4, 4):
            for row in range(4):
                _convert(components[kept[k + row]], offset[k + row], start + first, loops, some[row, :count])
            for c in range(n_channels):
                add_four(
                    some[0, :count], some[1, :count], some[2, :count], some[3, :count],
                    projection[c, k], projection[c, k + 1], projection[c, k + 2], projection[c, k + 3],
                    out[c, first : first + count],
                )  # fmt: skip
        for k in range(rank // 4 * 4, rank):
            _convert(components[kept[k]], offset[k], start + first, loops, some[0, :count])
            for c in range(n_channels):
                add_scaled(projection[c, k], some[0, :count], out[c, first : first + count])


def _by_tiles(sources: Sequence[ContinuousSource], low: int, high: int, step: int) -> np.ndarray:
    """(n_channels, n) of bank samples [low, high) at one displacement."""
    out = np.zeros((sources[0].projection.shape[1], high - low), np.float32)
    for source in sources:
        table = source.projection[min(step, len(source.projection) - 1)]
        _add_projected(source.components, source.kept, source.offset, source.first + low, source.loops, table, out)
    return out


def _by_blas(sources: Sequence[ContinuousSource], low: int, high: int, step: int) -> np.ndarray:
    converted = np.empty((sum(len(source.kept) for source in sources), high - low), np.float32)
    tables, row = [], 0
    for source in sources:
        rank = len(source.kept)
        _gather(
            source.components, source.kept, source.offset, source.first + low, source.loops, converted[row : row + rank]
        )
        tables.append(source.projection[min(step, len(source.projection) - 1)])
        row += rank
    return np.concatenate(tables, axis=1) @ converted


def project(
    sources: Sequence[ContinuousSource],
    low: int,
    high: int,
    below: Int64[np.ndarray, " samples"] | None = None,
    weight: Float32[np.ndarray, " samples"] | None = None,
) -> Float32[np.ndarray, "samples channels"]:
    """Sum of the sources at bank samples [low, high) after the first, uV.

    Parameters
    ----------
    sources
        At least one, all seen by the same channels.
    low, high
        Bank samples.
    below, weight
        `Motion.position` at each of them; None without drift.
    """
    seen = _by_tiles if sources[0].projection.shape[1] <= _FEW_CHANNELS else _by_blas
    if below is None or all(len(source.projection) == 1 for source in sources):
        return seen(sources, low, high, 0).T
    out = np.empty((high - low, sources[0].projection.shape[1]), np.float32)
    edges = np.flatnonzero(np.diff(below)) + 1
    for start, stop in zip([0, *edges], [*edges, len(below)], strict=True):
        lower = seen(sources, low + start, low + stop, int(below[start]))
        upper = seen(sources, low + start, low + stop, int(below[start]) + 1)
        out[start:stop] = (lower + weight[start:stop] * (upper - lower)).T
    return out
