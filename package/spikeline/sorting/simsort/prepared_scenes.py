"""Scenes as a network sees them: some of the channels, in any order, their spikes reshaped, whitened."""

from __future__ import annotations

import copy
import functools
import threading
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Self

import numpy as np

from spikeline.config.simsort import SceneSettings
from spikeline.simulation.bank import BankEntry
from spikeline.simulation.recordings.simulated_recording import render
from spikeline.sorting.simsort.detector import GROUP
from spikeline.sorting.simsort.prepared_scene import PreparedScene
from spikeline.sorting.simsort.reshaping import reshaped, stretched
from spikeline.sorting.simsort.scene_view import draw_view
from spikeline.sorting.simsort.scenes import plan_scene
from spikeline.sorting.simsort.whitening import whitened

if TYPE_CHECKING:
    import torch

    from spikeline.simulation.recordings.device_arrays import DeviceArrays

__all__ = ["PreparedScenes"]


class PreparedScenes:
    """The scenes of one stream by their number.

    Parameters
    ----------
    entries, allowed_cells, seed, stage
        See `scenes.plan_scene`.
    settings
        Bounds of what is drawn.
    keep
        How many of the last scenes are kept: steps that share a scene make it once.
    device
        Where scenes are made and kept, by torch (`prepared_scene_torch`); None: by numpy, in memory. What is drawn is
        the same, so the scenes are equal to rounding.
    """

    def __init__(
        self,
        entries: Sequence[BankEntry],
        settings: SceneSettings,
        seed: int,
        *,
        stage: str,
        allowed_cells: Collection[str] | None = None,
        keep: int = 4,
        device: torch.device | str | None = None,
    ) -> None:
        self.entries, self.settings, self.seed, self.stage = entries, settings, seed, stage
        self.allowed_cells, self.keep = allowed_cells, keep
        self._arrays = None if device is None else _arrays_on(device)
        self.channels: int | None = None
        self._forget()

    def _forget(self) -> None:
        self._cached = functools.lru_cache(maxsize=self.keep)(self._make)
        self._locks: dict[int, threading.Lock] = {}
        self._guard = threading.Lock()

    def seen_on(self, channels: int) -> Self:
        """The same scenes, all of them seen on so many channels."""
        others = copy.copy(self)
        others.channels = channels
        others._forget()
        return others

    def __call__(self, index: int) -> PreparedScene:
        """Scene number ``index``; made once if several threads ask for it at the same time."""
        with self._guard:
            lock = self._locks.setdefault(index, threading.Lock())
        with lock:
            scene = self._cached(index)
        with self._guard:
            for old in [number for number in self._locks if abs(number - index) > 64]:
                del self._locks[old]
        return scene

    def _make(self, index: int) -> PreparedScene:
        plan = plan_scene(
            self.entries, self.settings, index, self.seed, stage=self.stage, allowed_cells=self.allowed_cells
        )
        view = draw_view(self.settings, index, self.seed, self.stage, self.channels)
        if self._arrays is not None:
            from spikeline.sorting.simsort.prepared_scene_torch import prepared_on

            return prepared_on(self._arrays, plan, view, self.settings)
        traces = reshaped(render(plan.recording, 1)[:, view.channels], view.stretch, view.phase_rad)
        seen = np.zeros((len(traces), GROUP), np.float32)
        seen[:, view.places] = whitened(traces, self.settings.sampling_rate_hz, self.settings.band_hz)
        return PreparedScene(seen, stretched(plan.spike_samples, view.stretch, len(seen)), plan.unit_index)


def _arrays_on(device: torch.device | str) -> DeviceArrays:
    from spikeline.simulation.recordings.device_arrays import DeviceArrays

    return DeviceArrays(device)
