"""A stretch of a recording whose spikes are known, in place of simulated scenes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spikeline.errors import DataError
from spikeline.sorting.simsort.evaluation.network_view import NetworkView
from spikeline.sorting.simsort.evaluation.truth import Truth

if TYPE_CHECKING:
    from spikeline.sorting.simsort.prepared_scene import PreparedScene

__all__ = ["LabelledScenes"]

_GROUP = 4  # channels a network sees; those that a recording lacks are zero


class LabelledScenes:
    """The groups of channels of one recording, as a training sees scenes: the same few again and again.

    Parameters
    ----------
    view
        The labelled stretch as the networks see it.
    truth
        All its spikes; of a group, those of units that are largest in it.
    seed, stage
        Name the streams from which windows and spikes are drawn.

    Raises
    ------
    DataError
        If there is no spike.
    """

    def __init__(self, view: NetworkView, truth: Truth, seed: int, *, stage: str) -> None:
        self.seed, self.stage = seed, stage
        self._scenes = [
            scene for index in range(len(view.neighbourhoods.groups)) if (scene := _scene(view, truth, index))
        ]
        if not self._scenes:
            raise DataError("no spike in the labelled stretch", "a few of each unit", "label a longer stretch")

    def __len__(self) -> int:
        return len(self._scenes)

    def __call__(self, index: int) -> PreparedScene:
        """Group number ``index``, counted over and over."""
        return self._scenes[index % len(self._scenes)]


def _scene(view: NetworkView, truth: Truth, index: int) -> PreparedScene | None:
    from spikeline.sorting.simsort.prepared_scene import PreparedScene

    own = (view.neighbourhoods.home[truth.channels] == index)[truth.unit_index]
    if not own.any():
        return None
    group = view.group(index)
    traces = np.zeros((len(group), _GROUP), np.float32)
    traces[:, : group.shape[1]] = group
    peaks = view.from_source(truth.spike_samples[own])
    order = np.argsort(peaks, kind="stable")
    # units are numbered within their group: those elsewhere have no spike here
    units = np.unique(truth.unit_index[own], return_inverse=True)[1].astype(np.int64)[order]
    return PreparedScene(traces, peaks[order], units)
