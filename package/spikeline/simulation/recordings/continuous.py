"""Stretches of bank currents as the channels see them: stored components converted, then projected.

On a few channels (a tetrode, a small grid) both are done in one pass over tiles that stay in the first-level cache:
what limits is the memory the components lie in, and they are read once, as stored. Many channels are worth a matrix of
converted components and BLAS.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32, Int64

from spikeline.simulation.recordings.kernels import add_projected, gather
from spikeline.simulation.recordings.sources import LOOP_SEAM, ContinuousSource

__all__ = ["project"]

# Up to this many channels our own product is at least as fast as BLAS, and its rounding does not depend on how many
# threads somebody else in the process lets BLAS use.
_FEW_CHANNELS = 32


def _seam(source: ContinuousSource) -> int:
    return min(LOOP_SEAM, source.components.shape[1] // 4) if source.loops else -1


def _by_tiles(sources: Sequence[ContinuousSource], low: int, high: int, step: int) -> np.ndarray:
    """(n_channels, n) of bank samples [low, high) at one displacement."""
    out = np.zeros((sources[0].projection.shape[1], high - low), np.float32)
    for source in sources:
        table = source.projection[min(step, len(source.projection) - 1)]
        add_projected(source.components, source.kept, source.offset, source.first + low, _seam(source), table, out)
    return out


def _by_blas(sources: Sequence[ContinuousSource], low: int, high: int, step: int) -> np.ndarray:
    converted = np.empty((sum(len(source.kept) for source in sources), high - low), np.float32)
    tables, row = [], 0
    for source in sources:
        rank = len(source.kept)
        gather(
            source.components,
            source.kept,
            source.offset,
            source.first + low,
            _seam(source),
            converted[row : row + rank],
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
