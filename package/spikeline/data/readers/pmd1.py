"""``pmd1_mat``: CRCNS pmd-1, dorsal premotor and motor cortex during sequential reaches (Perich et al. 2018).

The processed files, ``MM_S1_processed.mat`` and the like: one struct ``Data`` whose fields are cell arrays, a cell per
reach. ``kinematics`` (bins x position, velocity, acceleration in x and y), counts ``neural_data_PMd`` and
``neural_data_M1`` (units x bins), ``target_on`` (1 in the bin in which the target comes on), ``timestamps`` (seconds).
These names, the order of the columns and the orientation are what public loaders of the data set rely on; nobody here
has seen the files themselves. ``fields`` of the entry corrects the names, and what does not fit is refused.

Source: doi 10.6080/K0FT8J72.
"""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

from spikeline.artifacts.hdf5 import check_links
from spikeline.data.binned_session import BinnedSession
from spikeline.data.dataset_table import DatasetEntry
from spikeline.data.readers.named_fields import field_names, missing_field
from spikeline.errors import DataError, FormatError

__all__ = ["read_pmd1"]

_STRUCT = "Data"
_FIELDS = {
    "counts": "neural_data_PMd",
    "kinematics": "kinematics",
    "target_on": "target_on",
    "timestamps": "timestamps",
}
_KINEMATICS = ("hand_position", "hand_velocity", "hand_acceleration")
_REMEDY = "check which file this is; docs/datasets.md says what the reader expects"
_LARGEST_JITTER = 0.01  # of a bin


def read_pmd1(path: Path, entry: DatasetEntry) -> BinnedSession:
    """Counts of one area (``fields: {counts: neural_data_M1}`` for the other), and the movement of the hand.

    ``direction_deg`` is that of the hand's displacement from the bin in which the target comes on to the end of the
    reach; ``target_on_s`` is when that is, from the reach's first bin. Fields with one number per reach become
    columns of trials.

    Raises
    ------
    ConfigError
        If ``fields`` names what the reader does not look for.
    FormatError
        If the file is no MATLAB file of this layout; the message lists the fields it has.
    """
    names = field_names(entry, _FIELDS)
    cells = _hdf5_cells(path) if h5py.is_hdf5(path) else _mat_cells(path)
    for what in ("counts", "kinematics", "target_on"):
        if names[what] not in cells:
            raise missing_field(path, what, names[what], f"the struct {_STRUCT}", cells)
    counts = [cell.T for cell in cells[names["counts"]]]
    kinematics = cells[names["kinematics"]]
    target_on = [cell.ravel() for cell in cells[names["target_on"]]]
    n = {len(cells[names[what]]) for what in ("counts", "kinematics", "target_on")}
    if len(n) != 1:
        raise FormatError(f"{path} has cells for {sorted(n)} reaches", "one cell per reach in every field", _REMEDY)
    for reach, (own, moved, marked) in enumerate(zip(counts, kinematics, target_on, strict=True)):
        if not len(own) == len(moved) == len(marked) or moved.shape[1] < 4:
            raise FormatError(
                f"reach {reach} of {path} has counts of {own.shape[::-1]} (units x bins), kinematics of {moved.shape} "
                f"(bins x 4 or more) and {len(marked)} values of {names['target_on']}",
                "the same bins in all three",
                _REMEDY,
            )
    lengths = np.array([len(own) for own in counts], np.int64)
    moved = np.concatenate([cell[:, : 2 * len(_KINEMATICS)] for cell in kinematics]).astype(np.float64)
    behaviour = {name: moved[:, 2 * i : 2 * i + 2] for i, name in enumerate(_KINEMATICS) if moved.shape[1] >= 2 * i + 2}
    onsets = np.array([np.flatnonzero(marked)[0] if marked.any() else -1 for marked in target_on])
    away = np.array([cell[-1, :2] - cell[max(onset, 0), :2] for cell, onset in zip(kinematics, onsets, strict=True)])
    bin_s = _bin_s(path, entry, cells.get(names["timestamps"]))
    columns = {
        "direction_deg": np.degrees(np.arctan2(away[:, 1], away[:, 0])) % 360.0,
        "target_on_s": np.where(onsets < 0, np.nan, onsets * bin_s),
    }
    flat = np.concatenate(counts)
    if not np.array_equal(flat, np.round(flat)):
        raise FormatError(f"{names['counts']} of {path} holds numbers that are not whole", "counts per bin", _REMEDY)
    try:
        return BinnedSession(
            counts=np.round(flat).astype(np.int64),
            bin_s=bin_s,
            trial_pointers=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
            steps=np.concatenate([np.arange(n) for n in lengths]),
            behaviour=behaviour,
            behaviour_units=dict.fromkeys(behaviour, ""),
            trials=_numbers(cells, len(counts)) | columns,
            units={"unit_id": np.arange(flat.shape[1])},
        )
    except DataError as error:
        raise FormatError(f"{path}: {error.seen}", error.expected, _REMEDY) from error


def _bin_s(path: Path, entry: DatasetEntry, stamps: list[np.ndarray] | None) -> float:
    """Width of a bin: from the time stamps, or as the entry says."""
    if stamps is None:
        if entry.bin_ms is None:
            raise FormatError(
                f"{path} has no time stamps", "them, or bin_ms in the entry of config/datasets.yaml", "add bin_ms"
            )
        return entry.bin_ms / 1e3
    steps = np.concatenate([np.diff(cell.ravel()) for cell in stamps])
    width = float(np.median(steps))
    if not width > 0 or np.abs(steps - width).max() > _LARGEST_JITTER * width:
        raise FormatError(
            f"time stamps of {path} are apart by {steps.min():g} to {steps.max():g}", "equal bins", _REMEDY
        )
    return round(width, 9)


def _numbers(cells: dict[str, list[np.ndarray]], n: int) -> dict[str, np.ndarray]:
    """The fields that have one number for each reach."""
    return {
        name: np.array([float(cell.ravel()[0]) for cell in own])
        for name, own in cells.items()
        if len(own) == n and all(cell.size == 1 for cell in own)
    }


def _mat_cells(path: Path) -> dict[str, list[np.ndarray]]:
    """Field -> cells, of MATLAB's files up to version 7."""
    from scipy.io import loadmat

    expected = f"a MATLAB file with the struct {_STRUCT}, one cell per reach in each field"
    try:
        read = loadmat(path, variable_names=(_STRUCT,), appendmat=False)
    except Exception as error:  # a damaged file can fail anywhere in SciPy's parser
        raise FormatError(
            f"{path} cannot be read ({type(error).__name__}: {error})", expected, "fetch it again"
        ) from error
    struct = read.get(_STRUCT)
    if struct is None or struct.dtype.names is None or struct.size != 1:
        raise FormatError(f"{path} has no struct {_STRUCT} of one element", expected, _REMEDY)
    fields = {name: struct[name].ravel()[0] for name in struct.dtype.names}
    return {name: _numeric(value.ravel()) for name, value in fields.items() if _is_cells(value)}


def _is_cells(value: np.ndarray) -> bool:
    return value.dtype == object and all(_is_numeric(cell) for cell in value.ravel())


def _is_numeric(cell: object) -> bool:
    return isinstance(cell, np.ndarray) and cell.dtype.kind in "biuf"


def _numeric(cells: np.ndarray) -> list[np.ndarray]:
    return [np.asarray(cell) for cell in cells]


def _hdf5_cells(path: Path) -> dict[str, list[np.ndarray]]:
    """Field -> cells, of MATLAB's version 7.3: HDF5, cells as references, and all axes the other way round."""
    check_links(path)
    with h5py.File(path, "r") as file:
        struct = file.get(_STRUCT)
        if not isinstance(struct, h5py.Group):
            raise FormatError(
                f"{path} has no struct {_STRUCT}; there are: {', '.join(sorted(file))}",
                f"a MATLAB file with the struct {_STRUCT}",
                _REMEDY,
            )
        fields = {}
        for name, data in struct.items():
            if isinstance(data, h5py.Dataset) and h5py.check_ref_dtype(data.dtype) is h5py.Reference:
                cells = [file[reference] for reference in data[:].ravel()]
                if all(isinstance(cell, h5py.Dataset) and cell.dtype.kind in "biuf" for cell in cells):
                    fields[name] = [cell[()].T for cell in cells]
        return fields
