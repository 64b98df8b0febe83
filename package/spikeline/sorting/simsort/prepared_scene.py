"""A training scene after whitening, and what batches take from it."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float32, Float64, Int64

from spikeline.sorting.simsort.snippets import cut_snippets
from spikeline.sorting.simsort.template_norms import template_norms

if TYPE_CHECKING:
    import torch

__all__ = ["PreparedScene", "joined"]


@dataclass(frozen=True)
class PreparedScene:
    """A scene in memory; `prepared_scene_torch.TensorScene` is one on a device.

    Parameters
    ----------
    traces
        Whitened: noise of density 1 in the band (see `whitening`), so of a standard deviation below 1, about 0.72 from
        300 to 3000 Hz at 10 kHz; absent channels are zero.
    spike_samples
        Rising.
    unit_index
        Which unit fired.
    """

    traces: Float32[np.ndarray, "samples 4"]
    spike_samples: Int64[np.ndarray, " spikes"]
    unit_index: Int64[np.ndarray, " spikes"]

    @property
    def n_samples(self) -> int:
        """Length in samples."""
        return len(self.traces)

    def cut(self, peaks: Int64[np.ndarray, " spikes"], before: int, after: int) -> Any:
        """Windows [peak - before, peak + after) of all channels; see `snippets.cut_snippets`."""
        return cut_snippets(self.traces, peaks, before, after)

    @functools.cached_property
    def n_channels(self) -> int:
        """How many of the channels are seen."""
        return int((self.traces != 0).any(0).sum())

    @functools.cached_property
    def template_norms(self) -> Float64[np.ndarray, " units"]:
        """How far each unit stands out (`template_norms.template_norms`)."""
        return template_norms(self.traces, self.spike_samples, self.unit_index)


def joined(parts: Sequence[np.ndarray] | Sequence[torch.Tensor]) -> np.ndarray | torch.Tensor:
    """What was cut from several scenes as one array or, where the scenes are on a device, one tensor."""
    if parts and not isinstance(parts[0], np.ndarray):
        import torch

        return torch.cat(list(parts))
    return np.concatenate(parts)
