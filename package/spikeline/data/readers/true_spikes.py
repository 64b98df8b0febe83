"""Spikes with a unit each, as a file has them: what every reader of ground truth returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int64

from spikeline.errors import DataError, FormatError

if TYPE_CHECKING:
    import spikeinterface as si

__all__ = ["LabelledSpikes", "labelled_spikes"]


@dataclass(frozen=True)
class LabelledSpikes:
    """Spikes of one recording.

    Parameters
    ----------
    samples
        Sample of each spike, counted from 0, rising.
    labels
        Its unit.
    sampling_rate_hz, n_samples
        Rate and length of the recording.
    """

    samples: Int64[np.ndarray, " spikes"]
    labels: Int64[np.ndarray, " spikes"]
    sampling_rate_hz: float
    n_samples: int

    def sorting(self, peak_offset_samples: int = 0, units: Sequence[int | str] | None = None) -> si.NumpySorting:
        """A SpikeInterface sorting with the units' numbers, as text, for ids.

        Parameters
        ----------
        peak_offset_samples
            By how much every spike is moved. One moved out of the recording is left out: its peak was not recorded.
        units
            The units to keep, in this order; all, by their numbers, unless given.

        Raises
        ------
        DataError
            If one of ``units`` is none of these spikes' units.
        """
        import spikeinterface as si

        known = [str(label) for label in np.unique(self.labels)]
        kept = known if units is None else [str(unit) for unit in units]
        missing = [unit for unit in kept if unit not in known]
        if missing:
            raise DataError(
                f"scored_units names unit {missing[0]}, which has no spike in the file",
                "units among " + ", ".join(known),
                "correct scored_units of the entry",
            )
        moved = self.samples + peak_offset_samples
        keep = (moved >= 0) & (moved < self.n_samples) & np.isin(self.labels, np.array(kept, dtype=np.int64))
        return si.NumpySorting.from_samples_and_labels(
            [moved[keep]], [self.labels[keep].astype(str)], self.sampling_rate_hz, unit_ids=np.array(kept, dtype=str)
        )


def labelled_spikes(
    path: Path,
    samples: Int64[np.ndarray, " spikes"],
    labels: Int64[np.ndarray, " labels"],
    sampling_rate_hz: float,
    n_samples: int,
    least_label: int = 0,
    in_order: bool = True,
) -> LabelledSpikes:
    """Check what a file says of its spikes.

    Parameters
    ----------
    path
        Named in errors.
    samples, labels, sampling_rate_hz, n_samples
        See `LabelledSpikes`.
    least_label
        Smallest number a unit may have.
    in_order
        Whether the file must have its spikes in order of time; if not, they are put in order.

    Raises
    ------
    FormatError
        If there are not as many labels as spikes, a spike lies outside the recording, a label is below
        ``least_label``, or the spikes are not in order.
    """
    remedy = "check that this file belongs to this recording, or fetch it again"
    if len(samples) != len(labels):
        raise FormatError(f"{path} has {len(samples)} spike times and {len(labels)} labels", "one label each", remedy)
    outside = np.flatnonzero((samples < 0) | (samples >= n_samples))
    if len(outside):
        raise FormatError(
            f"{path} has a spike at sample {samples[outside[0]]} of a recording of {n_samples}",
            "spikes inside the recording",
            remedy,
        )
    unknown = labels[labels < least_label]
    if len(unknown):
        raise FormatError(f"{path} has the unit label {unknown[0]}", f"labels from {least_label} up", remedy)
    falling = np.flatnonzero(np.diff(samples) < 0)
    if in_order and len(falling):
        raise FormatError(
            f"{path} has spike times out of order: {samples[falling[0]]} before {samples[falling[0] + 1]}",
            "times that rise",
            remedy,
        )
    order = np.argsort(samples, kind="stable")
    return LabelledSpikes(samples[order], labels[order], float(sampling_rate_hz), int(n_samples))
