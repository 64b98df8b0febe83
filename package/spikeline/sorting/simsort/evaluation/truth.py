"""The true spikes of a recording as something a detector or a clustering is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from jaxtyping import Float64, Int64

from spikeline.errors import DataError
from spikeline.sorting.scoring import aligned_truth
from spikeline.sorting.snr import unit_peaks
from spikeline.sorting.sorting_file import spikes_of

if TYPE_CHECKING:
    import spikeinterface as si

__all__ = ["Truth", "true_spikes"]


@dataclass(frozen=True)
class Truth:
    """True spikes, and where their units stand out how far.

    Parameters
    ----------
    spike_samples
        Rising, in samples of the recording.
    unit_index
        Whose they are.
    unit_ids
        As the true sorting names them.
    snr
        Signal-to-noise ratio (`spikeline.sorting.snr`); NaN for a unit without spikes.
    channels
        Index of the channel on which each unit's mean spike is largest.
    """

    spike_samples: Int64[np.ndarray, " spikes"]
    unit_index: Int64[np.ndarray, " spikes"]
    unit_ids: list[str]
    snr: Float64[np.ndarray, " units"]
    channels: Int64[np.ndarray, " units"]

    def counts(self) -> Int64[np.ndarray, " units"]:
        """Spikes of each unit."""
        return np.bincount(self.unit_index, minlength=len(self.unit_ids))


def true_spikes(
    recording: si.BaseRecording,
    sorting: si.BaseSorting,
    band_hz: tuple[float, float],
    true_time: Literal["extracellular_peak", "soma_peak"] = "extracellular_peak",
) -> Truth:
    """The truth of a recording, at the times at which sortings are scored.

    Parameters
    ----------
    recording
        Unfiltered.
    sorting
        True units.
    band_hz
        Band in which SNR and peaks are measured.
    true_time
        As ``sorting.scoring.true_time``.

    Raises
    ------
    DataError
        If there is no true spike.
    """
    if not sum(sorting.count_num_spikes_per_unit().values()):
        raise DataError("the true sorting has no spikes", "at least one unit that fires", "evaluate another recording")
    peaks = unit_peaks(recording, sorting, band_hz)
    moves = {unit: peak.offset if true_time == "extracellular_peak" else 0 for unit, peak in peaks.items()}
    samples, index, unit_ids = spikes_of(aligned_truth(sorting, moves))
    return Truth(
        np.minimum(samples, recording.get_num_samples() - 1),
        index,
        unit_ids,
        np.array([peaks[unit].snr for unit in unit_ids], np.float64),
        np.array([peaks[unit].channel for unit in unit_ids], np.int64),
    )
