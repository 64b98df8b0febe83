"""Recordings from the files of the data-set table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile

import numpy as np

from spikeline.data.datasets import DatasetEntry, resolve_dataset
from spikeline.errors import DataError, FormatError

if TYPE_CHECKING:
    import spikeinterface as si

__all__ = ["read_dataset_recording", "read_plain_npz", "tetrode_recording"]

_RECORDING_READERS = ("tetrode_npz",)


def read_plain_npz(path: str | Path, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Arrays of an ``.npz`` file; nothing in it is ever unpickled.

    Raises
    ------
    FormatError
        If it is missing, is no ``.npz`` file, lacks one of ``names``, or one of them holds Python objects.
    """
    remedy = "fetch the file again"
    try:
        with np.load(path, allow_pickle=False) as file:
            missing = [name for name in names if name not in file.files]
            if missing:
                raise FormatError(f"{path} has no array {', '.join(missing)}", f"the arrays {', '.join(names)}", remedy)
            return {name: file[name] for name in names}
    except FileNotFoundError:
        raise FormatError(f"{path} does not exist", "an .npz file", remedy) from None
    except (OSError, EOFError, BadZipFile, ValueError, AttributeError) as error:
        raise FormatError(
            f"{path} cannot be read as plain arrays ({error})", "an .npz file of numbers and text", remedy
        ) from error


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
        ``"uV"``: the recording gets a gain of 1 uV per step. Anything else: no gain, because none is known, and
        nothing downstream can take the samples for microvolts; the unit stands in the annotation ``unit``.

    Raises
    ------
    DataError
        If the samples are not (n, 4) numbers.
    """
    import probeinterface
    import spikeinterface as si

    if samples.ndim != 2 or samples.shape[1] != 4 or samples.dtype.kind not in "iuf":
        raise DataError(
            f"samples of shape {samples.shape} and type {samples.dtype}",
            "(n_samples, 4) numbers",
            "give the traces of one tetrode",
        )
    recording = si.NumpyRecording([samples], sampling_frequency=float(sampling_rate_hz), channel_ids=np.arange(4))
    probe = probeinterface.Probe(ndim=2, si_units="um")
    half = contact_distance_um / 2
    probe.set_contacts(
        half * np.array([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]]),
        shapes="circle",
        shape_params={"radius": half / 2},
    )
    probe.set_device_channel_indices(np.arange(4))
    recording.set_probe(probe)
    if unit == "uV":
        recording.set_channel_gains(1.0)
        recording.set_channel_offsets(0.0)
    recording.annotate(unit=unit)
    return recording


def read_dataset_recording(name: str, data_root: str | Path, table: Mapping[str, DatasetEntry]) -> si.BaseRecording:
    """A recording of the data-set table, in the unit the file has; its annotation ``unit`` says which.

    Raises
    ------
    DataError
        If the data set cannot be resolved (`resolve_dataset`) or is not a recording that sorters can use.
    FormatError
        If the file is not what the table says.
    """
    path = resolve_dataset(name, data_root, table)
    entry = table[name]
    if entry.reader not in _RECORDING_READERS:
        usable = ", ".join(n for n, e in table.items() if e.reader in _RECORDING_READERS)
        raise DataError(
            f"data set {name!r} has the layout {entry.reader}",
            f"a recording ({', '.join(_RECORDING_READERS)}): {usable or 'none here'}",
            "name another entry of config/datasets.yaml under sorting.real_recordings",
        )
    if entry.sampling_rate_hz is None or entry.contact_distance_um is None or entry.unit is None:
        raise DataError(
            f"data set {name!r} lacks sampling_rate_hz, contact_distance_um or unit",
            "all three for a tetrode",
            "add them to config/datasets.yaml",
        )
    arrays = read_plain_npz(path, ("data", "fs"))
    rate = float(arrays["fs"])
    if rate != entry.sampling_rate_hz:
        raise FormatError(
            f"{path} is sampled at {rate:g} Hz",
            f"{entry.sampling_rate_hz:g} Hz, as config/datasets.yaml says",
            "correct the table",
        )
    return tetrode_recording(arrays["data"], rate, entry.contact_distance_um, entry.unit)
