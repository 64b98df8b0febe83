"""What a recording is made of: stretches of bank currents and pasted spikes, each projected to the channels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Float64, Int16, Int64

from spikeline.simulation.recordings.drift import Drift

__all__ = [
    "EVENT_PHASES",
    "LOOP_SEAM",
    "ContinuousSource",
    "EventSource",
    "Motion",
    "background_source",
    "continuous_source",
    "event_source",
    "kept_components",
]

# Spikes are pasted on a grid of 1/16 of a recording sample.
EVENT_PHASES = 16
# Loops of background currents are joined by a cross-fade of this many bank samples.
LOOP_SEAM = 256


@dataclass(frozen=True)
class Motion:
    """The tissue's drift and the displacements at which projections were computed.

    Parameters
    ----------
    drift
        Displacement as a function of time.
    grid_um
        Evenly spaced displacements; between two of them projections are interpolated linearly.
    """

    drift: Drift
    grid_um: Float64[np.ndarray, " steps"]

    def position(
        self, time_s: Float[np.ndarray, " times"]
    ) -> tuple[Int64[np.ndarray, " times"], Float32[np.ndarray, " times"]]:
        """Grid index below and weight of the grid point above, for each time."""
        step = self.grid_um[1] - self.grid_um[0] if len(self.grid_um) > 1 else 1.0
        place = (self.drift.displacement_um(time_s) - self.grid_um[0]) / step
        below = np.clip(np.floor(place).astype(np.int64), 0, max(len(self.grid_um) - 2, 0))
        return below, np.clip(place - below, 0, 1).astype(np.float32)


@dataclass(frozen=True)
class ContinuousSource:
    """A stretch of bank currents seen by the channels.

    Parameters
    ----------
    components
        All of the entry's, as stored.
    kept
        Which rows are used.
    offset
        Subtracted from the kept rows.
    projection
        uV per stored unit; one step without drift.
    first
        Bank sample at recording sample 0.
    loops
        True: the bank starts again at its end, cross-faded over 256 samples. False: reading outside it repeats the
        edge sample.
    """

    components: Int16[np.ndarray, "bank_rank bank_samples"] | Float32[np.ndarray, "bank_rank bank_samples"]
    kept: Int64[np.ndarray, " rank"]
    offset: Float32[np.ndarray, " rank"]
    projection: Float32[np.ndarray, "steps channels rank"]
    first: int
    loops: bool = False


@dataclass(frozen=True)
class EventSource:
    """Spikes pasted at prescribed times.

    Parameters
    ----------
    components
        Snippets at the bank's rate.
    centre
        Sample of the spike in a snippet.
    projection
        uV per unit of a component.
    times
        Rising, in 1/16 of a recording sample.
    which
        Snippet pasted at each.
    """

    components: Float32[np.ndarray, "snippets rank width"]
    centre: int
    projection: Float32[np.ndarray, "steps channels rank"]
    times: Int64[np.ndarray, " events"]
    which: Int64[np.ndarray, " events"]


def kept_components(
    projection: Float[np.ndarray, "steps channels rank"], peak: Float[np.ndarray, " rank"], tolerance_uv: float
) -> Int64[np.ndarray, " kept"]:
    """Rows that must be kept so that the rest together never exceed ``tolerance_uv`` on any channel.

    Parameters
    ----------
    projection
        uV per unit.
    peak
        Largest magnitude each component ever has.
    tolerance_uv
        Bound on the sum of everything left out.
    """
    bound = np.abs(projection).max(axis=0) * peak  # (n_channels, rank)
    order = np.argsort(bound.max(axis=0), kind="stable")
    lost = np.cumsum(bound[:, order], axis=1).max(axis=0)
    return np.sort(order[lost > tolerance_uv])


def continuous_source(
    components: Int16[np.ndarray, "rank samples"] | Float32[np.ndarray, "rank samples"],
    scale: Float[np.ndarray, " rank"],
    projection: Float[np.ndarray, "steps channels rank"],
    first: int,
    tolerance_uv: float = 0.0,
) -> ContinuousSource:
    """A source from stored components and a projection of scaled components.

    Parameters
    ----------
    components, scale
        As stored, and their factors.
    projection
        uV per scaled component, see `placement.projection_table`.
    first
        Bank sample at recording sample 0.
    tolerance_uv
        Components that together stay below this on every channel are left out.
    """
    components = np.asarray(components)
    raw = projection * np.asarray(scale, np.float32)
    if tolerance_uv > 0:
        peak = np.maximum(components.max(axis=1).astype(np.float64), -components.min(axis=1).astype(np.float64))
        kept = kept_components(raw, peak, tolerance_uv)
    else:
        kept = np.arange(len(components))
    return ContinuousSource(
        components, kept, np.zeros(len(kept), np.float32), np.ascontiguousarray(raw[:, :, kept], np.float32), first
    )


def event_source(
    components: Float[np.ndarray, "snippets rank width"],
    centre: int,
    projection: Float[np.ndarray, "steps channels rank"],
    train_s: Float[np.ndarray, " events"],
    which: Int64[np.ndarray, " events"],
    sampling_rate_hz: float,
) -> EventSource:
    """A source that pastes snippet ``which[i]`` at ``train_s[i]`` (s, rising)."""
    times = np.rint(np.asarray(train_s, np.float64) * sampling_rate_hz * EVENT_PHASES).astype(np.int64)
    return EventSource(
        np.ascontiguousarray(components, np.float32), centre, np.ascontiguousarray(projection, np.float32), times, which
    )


def background_source(
    components: Int16[np.ndarray, "rank samples"] | Float32[np.ndarray, "rank samples"],
    scale: Float[np.ndarray, " rank"],
    projection: Float[np.ndarray, "steps channels rank"],
    first: int,
    moments: tuple[Float64[np.ndarray, " rank"], Float64[np.ndarray, "rank rank"]],
    lost_share: float = 1e-4,
) -> tuple[ContinuousSource, float]:
    """A looping source without mean, for the background, and its variance averaged over channels, uV^2.

    The covariance of the components gives the variance without making a trace. Components that together carry less
    than ``lost_share`` of it are left out (1e-4: 1 % of the background's r.m.s., far below the recording's other
    noise).

    Parameters
    ----------
    components, scale, projection, first
        See `continuous_source`.
    moments
        Mean and covariance of the stored components (`BankEntry.moments`).
    lost_share
        Share of the variance that may go.
    """
    mean, covariance = moments
    raw = projection * np.asarray(scale, np.float32)
    middle = raw[len(raw) // 2].astype(np.float64)
    power = (middle**2).mean(axis=0) * np.diag(covariance)
    order = np.argsort(power, kind="stable")
    kept = np.sort(order[np.cumsum(power[order]) > lost_share * power.sum()])
    source = ContinuousSource(
        np.asarray(components),
        kept,
        mean[kept].astype(np.float32),
        np.ascontiguousarray(raw[:, :, kept], np.float32),
        first,
        loops=True,
    )
    return source, float(np.einsum("ck,kl,cl->c", middle, covariance, middle).mean())
