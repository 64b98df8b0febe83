"""Scenes as a network sees them: some of the channels, in any order, their spikes reshaped, whitened."""

from __future__ import annotations

import copy
import functools
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from jaxtyping import Float32, Float64, Int64

from spikeline.artifacts import seed_stream
from spikeline.config.simsort import SceneSettings
from spikeline.simulation.bank import BankEntry
from spikeline.sorting.simsort.detector import GROUP
from spikeline.sorting.simsort.reshaping import reshaped
from spikeline.sorting.simsort.scenes import make_scene
from spikeline.sorting.simsort.template_norms import template_norms
from spikeline.sorting.simsort.whitening import fit_whitening

__all__ = ["PreparedScene", "PreparedScenes"]


@dataclass(frozen=True)
class PreparedScene:
    """A scene after whitening.

    Parameters
    ----------
    traces
        Noise of standard deviation 1; absent channels are zero.
    spike_samples
        Rising.
    unit_index
        Which unit fired.
    """

    traces: Float32[np.ndarray, "samples 4"]
    spike_samples: Int64[np.ndarray, " spikes"]
    unit_index: Int64[np.ndarray, " spikes"]

    @functools.cached_property
    def template_norms(self) -> Float64[np.ndarray, " units"]:
        """How far each unit stands out (`template_norms.template_norms`)."""
        return template_norms(self.traces, self.spike_samples, self.unit_index)


class PreparedScenes:
    """The scenes of one stream by their number.

    Parameters
    ----------
    entries, allowed_cells, seed, stage
        See `scenes.make_scene`.
    settings
        Bounds of what is drawn.
    keep
        How many of the last scenes are kept: steps that share a scene make it once.
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
    ) -> None:
        self.entries, self.settings, self.seed, self.stage = entries, settings, seed, stage
        self.allowed_cells, self.keep = allowed_cells, keep
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
        scene = make_scene(
            self.entries, self.settings, index, self.seed, stage=self.stage, allowed_cells=self.allowed_cells
        )
        draw = seed_stream(self.seed, f"{self.stage}-view", str(index))
        count = int(draw.choice([1, 2, 3, GROUP], p=self._channel_shares()))
        channels = draw.permutation(GROUP)[:count]
        stretch = float(np.exp(draw.uniform(*np.log(self.settings.stretch))))
        turned = draw.uniform(-1, 1) * np.deg2rad(self.settings.phase_deg) + np.pi * draw.integers(2)
        seen = reshaped(scene.traces[:, channels], stretch, float(turned))
        whitening = fit_whitening(seen, self.settings.sampling_rate_hz, self.settings.band_hz)
        traces = np.zeros((len(seen), GROUP), np.float32)
        traces[:, draw.permutation(GROUP)[:count]] = whitening(seen)
        spikes = np.minimum(np.rint(scene.spike_samples * stretch).astype(np.int64), len(seen) - 1)
        return PreparedScene(traces, spikes, scene.unit_index)

    def _channel_shares(self) -> list[float]:
        if self.channels is not None:
            return [float(count == self.channels) for count in range(1, GROUP + 1)]
        fewer = self.settings.fewer_channels
        return [fewer / 2, fewer / 3, fewer / 6, 1 - fewer]
