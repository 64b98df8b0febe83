"""A stretch of a recording whose spikes are known, in place of simulated scenes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spikeline.errors import DataError
from spikeline.sorting.simsort.detector import GROUP
from spikeline.sorting.simsort.evaluation.network_view import NetworkView
from spikeline.sorting.simsort.evaluation.truth import Truth

if TYPE_CHECKING:
    from spikeline.sorting.simsort.prepared_scene import PreparedScene

__all__ = ["LabelledScenes"]


class LabelledScenes:
    """A recording of up to four channels, as a training sees scenes: the same one again and again.

    Of more channels, which networks see in groups, each group also hears spikes of units that are largest in another.
    They are neither its spikes, since that other group finds them, nor noise, so there is nothing to label them by.

    Parameters
    ----------
    view
        The labelled stretch as the networks see it.
    truth
        All its spikes.
    seed, stage
        Name the streams from which windows and spikes are drawn.

    Raises
    ------
    DataError
        If the channels are more than one group, or there is no spike.
    """

    def __init__(self, view: NetworkView, truth: Truth, seed: int, *, stage: str) -> None:
        n_groups = len(view.neighbourhoods.groups)
        if n_groups > 1:
            raise DataError(
                f"a recording of {view.traces.shape[1]} channels, which the networks see in {n_groups} groups",
                f"at most {GROUP} channels to tune on: a group also hears spikes of units that belong to another",
                "name a tetrode under simsort_tuning.recordings",
            )
        if not len(truth.spike_samples):
            raise DataError("no spike in the labelled stretch", "a few of each unit", "label a longer stretch")
        self.seed, self.stage = seed, stage
        self._scene = _scene(view, truth)

    def __call__(self, index: int) -> PreparedScene:
        """The one there is, whatever the number."""
        return self._scene


def _scene(view: NetworkView, truth: Truth) -> PreparedScene:
    from spikeline.sorting.simsort.prepared_scene import PreparedScene

    traces = np.zeros((len(view.traces), GROUP), np.float32)  # channels that a recording lacks are zero
    traces[:, : view.traces.shape[1]] = view.group(0)
    peaks = view.from_source(truth.spike_samples)
    order = np.argsort(peaks, kind="stable")
    # numbered without those that are silent here
    units = np.unique(truth.unit_index, return_inverse=True)[1].astype(np.int64)[order]
    return PreparedScene(traces, peaks[order], units)
