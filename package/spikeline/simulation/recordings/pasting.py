"""Spikes pasted into a recording at any time, between samples.

In two steps. A snippet as the channels see it is first brought to twice the bank's rate, which takes 32 taps per sample
and, for a cell that stays where it is, happens once. What it holds now lies below half of the Nyquist frequency, where
12 taps find any value between two samples; those are all that is left to do per event.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32

from spikeline.simulation.recordings.interpolation import Interpolator, interpolation_table
from spikeline.simulation.recordings.kernels import FINE_HALF, REACH, double_all, paste
from spikeline.simulation.recordings.sources import EVENT_PHASES, EventSource, Motion

__all__ = ["EventTables", "SpikePaster", "event_tables"]


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


# Doubled snippets are kept where they are few values: a tetrode's are 1,000 per spike, so all that an entry may give.
_KEPT_VALUES = 2**21


def _all_doubled(source: EventSource, tables: EventTables) -> np.ndarray:
    """(n_snippets, 2, columns, n_channels) of a source that stays where it is; none if it moves or they are many."""
    n_snippets, _, width = source.components.shape
    steps, n_channels, _ = source.projection.shape
    columns = width + 2 * (tables.half + REACH + FINE_HALF) + 1
    kept = steps == 1 and n_snippets * 2 * columns * n_channels <= _KEPT_VALUES
    out = np.empty((n_snippets if kept else 0, 2, columns, n_channels), np.float32)
    double_all(source.components, source.projection[0], tables.doubling, out)
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
        longest = source.components.shape[2] + 2 * (self._tables.half + REACH)
        reach = math.ceil(longest * up / down) * EVENT_PHASES
        first, last = np.searchsorted(source.times, [start * EVENT_PHASES - reach, stop * EVENT_PHASES + reach])
        times = source.times[first:last]
        if len(times) == 0:
            return
        if self._motion is None or len(source.projection) == 1:
            below, weight = np.zeros(len(times), np.int64), np.zeros(len(times), np.float32)
        else:
            below, weight = self._motion.position(times / (EVENT_PHASES * self._bank_rate_hz * up / down))
        paste(
            source.components, self._doubled, source.centre, source.projection, times, source.which[first:last],
            below, weight, *self._tables, EVENT_PHASES, up, down, start, out,
        )  # fmt: skip
