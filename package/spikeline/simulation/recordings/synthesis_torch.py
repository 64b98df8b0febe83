"""`synthesis.Synthesiser` in torch, on any device: the same traces to float32 rounding, for training loaders."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float32

from spikeline.simulation.recordings.device_arrays import DeviceArrays
from spikeline.simulation.recordings.interpolation import Interpolator
from spikeline.simulation.recordings.kernels import FINE_HALF
from spikeline.simulation.recordings.pasting import event_tables
from spikeline.simulation.recordings.sources import EVENT_PHASES, LOOP_SEAM, ContinuousSource, EventSource, Motion
from spikeline.simulation.recordings.synthesis import by_kind

__all__ = ["TorchSynthesiser"]

_EVENTS_AT_ONCE = 256


class TorchSynthesiser:
    """Traces of a fixed set of sources, for any window, without noise, as tensors.

    The stored components stay int16 on the device and are converted window by window.

    Parameters
    ----------
    sources, n_channels, plan, bank_rate_hz, motion
        See `synthesis.Synthesiser`.
    arrays
        The bank's arrays on the device where the work is done; several engines may share them.
    """

    def __init__(
        self,
        sources: Sequence[ContinuousSource | EventSource],
        *,
        n_channels: int,
        plan: Interpolator,
        bank_rate_hz: float,
        motion: Motion | None = None,
        arrays: DeviceArrays,
    ) -> None:
        self.continuous, self.events = by_kind(sources, n_channels, motion)
        tables = event_tables(plan)
        self.n_channels, self.plan, self.bank_rate_hz, self.motion = n_channels, plan, bank_rate_hz, motion
        self.arrays, self.device, self._tensor = arrays, arrays.device, arrays.sent
        # one matrix for all continuous sources, so that a window costs one product
        steps = 1 if motion is None else len(motion.grid_um)
        seen = [np.broadcast_to(s.projection, (steps, *s.projection.shape[1:])) for s in self.continuous]
        nothing = np.zeros((steps, n_channels, 0), np.float32)
        self.projection = self._tensor(np.concatenate([nothing, *seen], axis=2))
        self.table = self._tensor(plan.table)
        self.doubling = self._tensor(tables.doubling)
        self.fine = self._tensor(tables.fine).transpose(1, 2).flatten(1)

    def _components(self, low: int, high: int) -> torch.Tensor:
        """(rank of all continuous sources, high - low): bank samples [low, high) after each source's first."""
        out = torch.empty((self.projection.shape[2], high - low), device=self.device)
        row = 0
        for source in self.continuous:
            own = out[row : row + len(source.kept)]
            self._fill(source, low, own)
            own -= self._tensor(source.offset)[:, None]
            row += len(own)
        return out

    def _fill(self, source: ContinuousSource, low: int, out: torch.Tensor) -> None:
        components, kept = self.arrays(source.components), self._tensor(source.kept)
        n_samples, n = components.shape[1], out.shape[1]
        if not source.loops:
            place = torch.arange(source.first + low, source.first + low + n, device=self.device)
            out.copy_(components[kept[:, None], place.clamp(0, n_samples - 1)])
            return
        seam = min(LOOP_SEAM, n_samples // 4)
        period = n_samples - seam
        done = 0
        while done < n:
            place = (source.first + low + done) % period
            here = out[:, done : done + period - place]
            here.copy_(components[:, place : place + here.shape[1]][kept])
            fading = min(max(seam - place, 0), here.shape[1])  # the end of the entry fades into its beginning
            if fading:
                weight = torch.arange(place, place + fading, device=self.device) / seam
                ending = components[:, place + period : place + period + fading][kept].float()
                here[:, :fading] = weight * here[:, :fading] + (1 - weight) * ending
            done += here.shape[1]

    def _position(self, time_s: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        below, weight = self.motion.position(time_s)
        return self._tensor(below), self._tensor(weight)

    def _continuous(self, start: int, stop: int) -> torch.Tensor:
        low, high = self.plan.input_span(start, stop)
        components = self._components(low, high)
        if self.motion is None:
            projected = self.projection[0] @ components
        else:
            below, weight = self._position(np.arange(low, high) / self.bank_rate_hz)
            projected = torch.empty((self.n_channels, high - low), device=self.device)
            for step in torch.unique(below).tolist():
                there = below == step
                part = components[:, there]
                lower = self.projection[step] @ part
                upper = self.projection[min(step + 1, len(self.projection) - 1)] @ part
                projected[:, there] = lower + weight[there] * (upper - lower)
        if self.plan.is_identity:
            return projected
        position = torch.arange(start, stop, device=self.device) * self.plan.down
        base = position // self.plan.up - self.plan.half + 1 - low
        windows = projected.unfold(1, 2 * self.plan.half, 1)[:, base]  # (n_channels, n, taps)
        return torch.einsum("cnj,nj->cn", windows, self.table[position % self.plan.up])

    def _add_events(self, source: EventSource, start: int, stop: int, out: torch.Tensor) -> None:
        components, projection = self.arrays(source.components), self._tensor(source.projection)
        up, down, half = self.plan.up, self.plan.down, self.doubling.shape[1] // 2
        width, phases = components.shape[2], 2 * len(self.fine)
        beyond = half + FINE_HALF  # bank samples before and after a snippet in which it may still be heard, and more
        reach = math.ceil((width + 2 * beyond) * up / down)
        inside = np.searchsorted(source.times, [(start - reach) * EVENT_PHASES, (stop + reach) * EVENT_PHASES])
        for first in range(inside[0], inside[1], _EVENTS_AT_ONCE):
            chosen = slice(first, min(first + _EVENTS_AT_ONCE, inside[1]))
            times = self._tensor(source.times[chosen])
            if self.motion is not None and len(projection) > 1:
                below, weight = self._position(source.times[chosen] / (EVENT_PHASES * self.bank_rate_hz * up / down))
                lower, upper = projection[below], projection[(below + 1).clamp(max=len(projection) - 1)]
                seen = lower + weight[:, None, None] * (upper - lower)
                doubled = self._doubled(seen @ components[self._tensor(source.which[chosen])], beyond)
            else:  # a cell that stays where it is: a snippet that serves again is the same
                used, event_of = np.unique(source.which[chosen], return_inverse=True)
                doubled = self._doubled(projection[0] @ components[self._tensor(used)], beyond)
                doubled = doubled[self._tensor(event_of)]
            earliest = (times * down - (source.centre + beyond) * phases) // (down * EVENT_PHASES) + 1
            sample = earliest[:, None] + torch.arange(reach + 1, device=self.device)
            place = source.centre * phases + (sample * EVENT_PHASES - times[:, None]) * down
            base = place // len(self.fine) - FINE_HALF + 1 + 2 * beyond
            good = (base >= 0) & (base + 2 * FINE_HALF <= doubled.shape[2]) & (sample >= start) & (sample < stop)
            event, _ = torch.nonzero(good, as_tuple=True)
            weights = self.fine[place[good] % len(self.fine)]
            windows = doubled.unfold(2, 2 * FINE_HALF, 1)[event, :, base[good]]  # (pasted samples, n_channels, taps)
            out.index_add_(1, sample[good] - start, torch.einsum("scj,sj->cs", windows, weights))

    def _doubled(self, snippets: torch.Tensor, beyond: int) -> torch.Tensor:
        """Snippets (events, n_channels, width) at twice the rate, from ``beyond`` samples before to as many after."""
        taps = self.doubling.shape[1]
        padded = torch.nn.functional.pad(snippets, (beyond + taps // 2 - 1, beyond + taps // 2))
        # a product, because convolutions of a GPU may round to ten bits (TF32)
        return (padded.unfold(2, taps, 1) @ self.doubling.T).flatten(2)

    def traces(self, start: int, stop: int) -> Float32[torch.Tensor, "{stop}-{start} {self.n_channels}"]:
        """Recording samples [start, stop), uV."""
        if self.continuous and stop > start:
            out = self._continuous(start, stop).contiguous()
        else:
            out = torch.zeros((self.n_channels, stop - start), device=self.device)
        for source in self.events:
            self._add_events(source, start, stop, out)
        return out.T
