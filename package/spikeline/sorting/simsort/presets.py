"""What `run_sorter` runs: the pipeline, or with ``preset: paper`` the published sorting."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Int64

from spikeline.sorting.simsort.sorter_parameters import PAPER_PRESET, paper_settings_of, preset_of, settings_of

if TYPE_CHECKING:
    import spikeinterface as si

__all__ = ["FoundUnits", "sort_with_preset"]

# The number of threads within an operation, and the published method's draws, belong to the whole process: of two
# sortings at once, the first to end would change both for the other, and with them last bits or all of its result.
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class FoundUnits:
    """Units of a recording, whichever preset found them.

    Parameters
    ----------
    spike_samples
        Rising.
    unit_index
        Whose they are, from 0.
    unit_channels
        Index of each unit's best channel.
    properties
        Name -> one value per unit, of the preset's own.
    """

    spike_samples: Int64[np.ndarray, " spikes"]
    unit_index: Int64[np.ndarray, " spikes"]
    unit_channels: Int64[np.ndarray, " units"]
    properties: dict[str, np.ndarray]


def sort_with_preset(
    recording: si.BaseRecording, parameters: Mapping[str, Any], *, threads: int, progress: bool, folder: Path
) -> FoundUnits:
    """Sort a recording with the preset that the sorter's parameters name; other threads that ask for it meanwhile wait.

    Parameters
    ----------
    recording
        One segment, with contacts.
    parameters
        All of the sorter's, see `sorter_parameters`.
    threads
        Of everything.
    progress
        Show a bar.
    folder
        Where the pipeline may keep what does not fit in memory.

    Raises
    ------
    ConfigError
        If parameters do not go with the preset.
    """
    settings = settings_of(parameters)
    options = {"weights": parameters["weights"], "device": parameters["device"]}
    options |= {"threads": threads, "progress": progress}
    with _ONE_AT_A_TIME:
        if preset_of(parameters) == PAPER_PRESET:
            return _published(recording, parameters, options)
        from spikeline.sorting.simsort import pipeline

        found = pipeline.sort(recording, settings, folder=folder, **options)
    spikes = np.bincount(found.unit_index, minlength=len(found.unit_channels))
    scores = np.bincount(found.unit_index, weights=found.spike_scores, minlength=len(found.unit_channels))
    return FoundUnits(
        found.spike_samples, found.unit_index, found.unit_channels, {"mean_score": scores / np.maximum(spikes, 1)}
    )


def _published(recording: si.BaseRecording, parameters: Mapping[str, Any], options: dict[str, Any]) -> FoundUnits:
    from spikeline.sorting.simsort.paper.sorting import sort_as_published

    found = sort_as_published(recording, paper_settings_of(parameters), seed=parameters["seed"], **options)
    return FoundUnits(found.spike_samples, found.unit_index, found.unit_channels, {"chunk": found.unit_chunks})
