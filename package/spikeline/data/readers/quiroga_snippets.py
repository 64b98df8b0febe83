"""``quiroga_snippets_npz``: waveforms cut from one of Quiroga's simulations and aligned, with the unit of each.

For identification alone: nothing has to be detected. Label -1 marks a waveform in which two spikes overlap; these are
left out, because no single unit is right for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Int64

from spikeline.data.dataset_table import DatasetEntry
from spikeline.data.readers.plain_arrays import as_integers, as_numbers, read_plain_npz
from spikeline.errors import FormatError

__all__ = ["OVERLAP", "Snippets", "read_snippets"]

OVERLAP = -1
"""Label of overlapping spikes."""


@dataclass(frozen=True)
class Snippets:
    """Waveforms with their units.

    Parameters
    ----------
    waveforms
        As stored, or upside down if the entry says ``invert``.
    labels
        Unit of each, from 0.
    sampling_rate_hz
        Samples per second.
    peak_sample
        Where in a waveform the peak lies.
    n_overlapping
        Waveforms that were left out.
    """

    waveforms: Float32[np.ndarray, "snippets samples"]
    labels: Int64[np.ndarray, " snippets"]
    sampling_rate_hz: float
    peak_sample: int
    n_overlapping: int


def read_snippets(path: str | Path, entry: DatasetEntry) -> Snippets:
    """Read arrays ``waveforms`` (n, samples), ``labels`` (n,) and ``fs`` (Hz).

    Raises
    ------
    FormatError
        If an array is missing or has another shape, a label is below -1, or the peak of the entry
        (``peak_offset_samples``) lies outside the waveforms.
    """
    arrays = read_plain_npz(path, ("waveforms", "labels", "fs"))
    remedy = "check which file this is, or fetch it again"
    waveforms = as_numbers(arrays["waveforms"], f"waveforms of {path}", dimensions=2).astype(np.float32)
    labels = as_integers(arrays["labels"], f"labels of {path}")
    rate = as_numbers(np.atleast_1d(arrays["fs"]), f"fs of {path}")
    if len(labels) != len(waveforms):
        raise FormatError(f"{path} has {len(waveforms)} waveforms and {len(labels)} labels", "one label each", remedy)
    if rate.size != 1 or not rate[0] > 0:
        raise FormatError(f"fs of {path} is {rate}", "one number above 0", remedy)
    unknown = labels[labels < OVERLAP]
    if len(unknown):
        raise FormatError(f"{path} has the label {unknown[0]}", f"{OVERLAP} (overlap) or a unit from 0", remedy)
    if not 0 <= entry.peak_offset_samples < waveforms.shape[1]:
        raise FormatError(
            f"peak_offset_samples is {entry.peak_offset_samples}; {path} has {waveforms.shape[1]} samples each",
            "a sample of the waveform",
            "correct the entry of config/datasets.yaml",
        )
    single = labels != OVERLAP
    sign = np.float32(-1 if entry.invert else 1)
    return Snippets(
        sign * waveforms[single], labels[single], float(rate[0]), entry.peak_offset_samples, int((~single).sum())
    )
