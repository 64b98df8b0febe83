"""Training scenes made and kept on a device: no trace goes through the CPU's memory."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32, Float64, Int64

from spikeline.config.simsort import SceneSettings
from spikeline.simulation.recordings.device_arrays import DeviceArrays
from spikeline.simulation.recordings.rendering_torch import render_on
from spikeline.sorting.simsort.detector import GROUP
from spikeline.sorting.simsort.prepared_scene import PreparedScene
from spikeline.sorting.simsort.reshaping import stretched
from spikeline.sorting.simsort.reshaping_torch import reshaped_on
from spikeline.sorting.simsort.scene_view import SceneView
from spikeline.sorting.simsort.scenes import ScenePlan
from spikeline.sorting.simsort.template_norms import TEMPLATE_WINDOW, norms_of_means
from spikeline.sorting.simsort.whitening_torch import whitened_on

__all__ = ["TensorScene", "prepared_on"]


@dataclass(frozen=True)
class TensorScene(PreparedScene):
    """A `PreparedScene` whose traces are a tensor; what is cut from it stays on its device."""

    traces: Float32[torch.Tensor, "samples 4"]

    def cut(self, peaks: Int64[np.ndarray, " spikes"], before: int, after: int) -> Float32[torch.Tensor, "spikes 4 _"]:
        """As `snippets.cut_snippets`: zeros beyond the ends."""
        at = torch.from_numpy(peaks[:, None] + np.arange(-before, after)).to(self.traces.device)
        inside = (at >= 0) & (at < self.n_samples)
        cut = self.traces[at.clamp(0, self.n_samples - 1)] * inside[:, :, None]
        return cut.transpose(1, 2).contiguous()

    @functools.cached_property
    def template_norms(self) -> Float64[np.ndarray, " units"]:
        """How far each unit stands out (`template_norms.template_norms`)."""
        return norms_of_means(self._energy_and_scatter, self.spike_samples, self.unit_index)

    def _energy_and_scatter(self, peaks: np.ndarray) -> tuple[float, float]:
        snippets = self.cut(peaks, *TEMPLATE_WINDOW).double()
        both = torch.stack([snippets.mean(dim=0).square().sum(), snippets.var(dim=0).sum()])
        energy, scatter = both.tolist()
        return energy, scatter


def prepared_on(arrays: DeviceArrays, plan: ScenePlan, view: SceneView, settings: SceneSettings) -> TensorScene:
    """What `prepared_scenes.PreparedScenes` makes of a plan and a view, where the bank's arrays lie."""
    traces = reshaped_on(render_on(plan.recording, arrays)[:, view.channels], view.stretch, view.phase_rad)
    seen = traces.new_zeros((len(traces), GROUP))
    seen[:, view.places] = whitened_on(traces, settings.sampling_rate_hz, settings.band_hz)
    return TensorScene(seen, stretched(plan.spike_samples, view.stretch, len(seen)), plan.unit_index)
