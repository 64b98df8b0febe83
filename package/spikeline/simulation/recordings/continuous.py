"""Stretches of bank currents as the channels see them: components gathered, then projected."""

from __future__ import annotations

import numba
import numpy as np
from jaxtyping import Float32, Int64

from spikeline.simulation.recordings.sources import LOOP_SEAM
from spikeline.simulation.recordings.weighted_sums import add_four

__all__ = ["gather", "project"]


@numba.njit(cache=True, nogil=True)
def _copy_less(source, shift, target):
    for t in range(len(target)):
        target[t] = np.float32(source[t]) - shift


@numba.njit(cache=True, nogil=True)
def gather(components, kept, offset, start, loops, out):
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
                add_four(
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


def project(
    components: Float32[np.ndarray, "rank samples"],
    projection: Float32[np.ndarray, "steps channels rank"],
    below: Int64[np.ndarray, " samples"] | None,
    weight: Float32[np.ndarray, " samples"] | None,
) -> Float32[np.ndarray, "samples channels"]:
    """Traces of components, uV, under a projection that may move.

    Parameters
    ----------
    components
        As `gather` fills them.
    projection
        uV per stored unit, a step per displacement.
    below, weight
        `Motion.position` at each sample, or None without drift.
    """
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
