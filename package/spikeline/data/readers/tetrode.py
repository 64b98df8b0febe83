"""``tetrode_npz``: a continuous recording of four channels in an ``.npz`` file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from spikeline.data.dataset_table import DatasetEntry
from spikeline.data.readers.in_memory import array_recording
from spikeline.data.readers.plain_arrays import read_plain_npz
from spikeline.errors import DataError

if TYPE_CHECKING:
    import spikeinterface as si

__all__ = ["read_tetrode", "tetrode_recording"]


def tetrode_recording(
    samples: np.ndarray, sampling_rate_hz: float, contact_distance_um: float, unit: str
) -> si.NumpyRecording:
    """A recording of one tetrode: four contacts at the corners of a square.

    Parameters
    ----------
    samples
        (n_samples, 4), as stored.
    sampling_rate_hz
        Samples per second.
    contact_distance_um
        Side of the square.
    unit
        See `spikeline.data.readers.in_memory.set_unit`.

    Raises
    ------
    DataError
        If the samples are not (n, 4) numbers.
    """
    if samples.ndim != 2 or samples.shape[1] != 4 or samples.dtype.kind not in "iuf":
        raise DataError(
            f"samples of shape {samples.shape} and type {samples.dtype}",
            "(n_samples, 4) numbers",
            "give the traces of one tetrode",
        )
    return array_recording(samples, sampling_rate_hz, contact_distance_um, unit)


def read_tetrode(path: Path, entry: DatasetEntry) -> si.BaseRecording:
    """The recording of a file with arrays ``data`` (n_samples, 4) and ``fs`` (Hz)."""
    arrays = read_plain_npz(path, ("data", "fs"))
    return tetrode_recording(arrays["data"], float(arrays["fs"]), entry.contact_distance_um, entry.unit)
