"""Recordings from the files of the data-set table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile

import numpy as np

from spikeline.data.datasets import DatasetEntry, refuse_other_layout, resolve_dataset
from spikeline.data.spikeinterface_folder import read_spikeinterface_folder
from spikeline.errors import DataError, FormatError

if TYPE_CHECKING:
    import spikeinterface as si

__all__ = ["read_dataset_recording", "read_plain_npz", "tetrode_recording"]


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
    """A recording of the data-set table, in the unit the file has.

    One that knows its gains gives microvolts on request (``return_in_uV``); a tetrode file's annotation ``unit`` says
    what it holds.

    Raises
    ------
    DataError
        If the data set cannot be resolved (`resolve_dataset`) or is not a recording that sorters can use.
    FormatError
        If the file is not what the table says.
    """
    path = resolve_dataset(name, data_root, table)
    refuse_other_layout(name, table)
    entry = table[name]
    saved = entry.reader == "spikeinterface"
    recording = read_spikeinterface_folder(path) if saved else _tetrode(name, path, entry)
    found = {"sampling_rate_hz": float(recording.sampling_frequency), "channels": recording.get_num_channels()}
    for key, value in found.items():
        stated = getattr(entry, key)
        if stated is not None and stated != value:
            raise FormatError(
                f"{path} has {key} {value:g}", f"{stated:g}, as config/datasets.yaml says", "correct the table"
            )
    return recording


def _tetrode(name: str, path: Path, entry: DatasetEntry) -> si.BaseRecording:
    if entry.sampling_rate_hz is None or entry.contact_distance_um is None or entry.unit is None:
        raise DataError(
            f"data set {name!r} lacks sampling_rate_hz, contact_distance_um or unit",
            "all three for a tetrode",
            "add them to config/datasets.yaml",
        )
    arrays = read_plain_npz(path, ("data", "fs"))
    return tetrode_recording(arrays["data"], float(arrays["fs"]), entry.contact_distance_um, entry.unit)
