"""True spike times moved to where a sorter can see them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from spikeline.sorting.sorting_file import make_sorting, spikes_of

if TYPE_CHECKING:
    import spikeinterface as si

__all__ = ["aligned_truth"]


def aligned_truth(truth: si.BaseSorting, offsets: Mapping[str, int]) -> si.NumpySorting:
    """The truth with all spikes of a unit moved by that unit's offset.

    A simulation knows when the soma's voltage peaks; a sorter reports the extracellular peak, which for a pyramidal
    cell or near its dendrites comes up to 0.5 ms earlier. Without this, a window of 0.4 ms scores the cell's shape.

    Parameters
    ----------
    truth
        True units.
    offsets
        Unit id (text) -> samples from the spike's time to its extracellular peak (`spikeline.sorting.snr.unit_peaks`).
    """
    samples, index, unit_ids = spikes_of(truth)
    moved = samples + np.array([offsets[unit] for unit in unit_ids], dtype=np.int64)[index]
    return make_sorting(np.maximum(moved, 0), index, unit_ids, truth.get_sampling_frequency())
