"""From placed sources to traces: the one engine behind lazy recordings, written recordings and training loaders.

All arithmetic runs at the bank's rate on components (rank x samples), is projected to channels, and only then
interpolated to the recording's rate. Sample k of a recording lies at bank position ``first + k * down / up``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

from spikeline.errors import DataError
from spikeline.simulation.recordings.continuous import project
from spikeline.simulation.recordings.interpolation import Interpolator, interpolate
from spikeline.simulation.recordings.pasting import SpikePaster, event_tables
from spikeline.simulation.recordings.sources import ContinuousSource, EventSource, Motion

__all__ = ["Synthesiser", "by_kind", "synthesise"]


def by_kind(
    sources: Sequence[ContinuousSource | EventSource], n_channels: int, motion: Motion | None
) -> tuple[list[ContinuousSource], list[EventSource]]:
    """Sources of either kind, checked.

    Raises
    ------
    DataError
        If a source was projected to another number of channels or drift steps.
    """
    steps = 1 if motion is None else len(motion.grid_um)
    for source in sources:
        seen = source.projection.shape[0], source.projection.shape[1]
        if seen[1] != n_channels or seen[0] not in (1, steps):
            raise DataError(
                f"a source projected to {seen[1]} channels at {seen[0]} displacements",
                f"{n_channels} channels at {steps} (or 1) displacements",
                "project every source with the same contacts and drift grid",
            )
    continuous = [source for source in sources if isinstance(source, ContinuousSource)]
    return continuous, [source for source in sources if isinstance(source, EventSource)]


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
        self.continuous, self.events = by_kind(sources, n_channels, motion)
        self.event_tables = event_tables(plan)
        self._pasters = [SpikePaster(source, plan, self.event_tables, bank_rate_hz, motion) for source in self.events]

    def traces(
        self,
        start: int,
        stop: int,
        noise: Float32[np.ndarray, "{stop}-{start} {self.n_channels}"] | None = None,
    ) -> Float32[np.ndarray, "{stop}-{start} {self.n_channels}"]:
        """Recording samples [start, stop), uV.

        ``noise`` is added in, in place, and what is returned may share its memory.
        """
        if self.continuous and stop > start:
            low, high = self.plan.input_span(start, stop)
            below = weight = None
            if self.motion is not None:
                below, weight = self.motion.position(np.arange(low, high) / self.bank_rate_hz)
            projected = project(self.continuous, low, high, below, weight)
            out = np.ascontiguousarray(interpolate(projected, low, start, stop, self.plan))
            if noise is not None:
                out += noise
        elif noise is not None:
            out = noise
        else:
            out = np.zeros((stop - start, self.n_channels), np.float32)
        for paster in self._pasters:
            paster.add(start, stop, out)
        return out


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
