"""Trajectories in an HDF5 artefact, or in an .npz file of the user's."""

from __future__ import annotations

import dataclasses
import zipfile
from pathlib import Path

import h5py
import numpy as np

from spikeline.artifacts import Provenance, open_hdf5, write_hdf5
from spikeline.dynamics.trajectories import Trajectories
from spikeline.errors import FormatError

__all__ = ["read_trajectories", "trajectories_of", "trajectory_arrays", "write_trajectories"]

_SCHEMA = "trajectories"


def trajectory_arrays(trajectories: Trajectories) -> dict[str, np.ndarray]:
    """The arrays of a file by name; labels and the mask of what was observed are there only if they are known."""
    arrays = {"inputs": trajectories.inputs, "outputs": trajectories.outputs, "lengths": trajectories.lengths}
    if trajectories.labels is not None:
        arrays["labels"] = trajectories.labels
    if trajectories.observed is not None:
        arrays["observed"] = trajectories.observed
    return arrays


def trajectories_of(group: h5py.Group) -> Trajectories:
    """The trajectories whose arrays lie in a group of an HDF5 file."""
    optional = {name: group[name][:] for name in ("labels", "observed") if name in group}
    return Trajectories(group["inputs"][:], group["outputs"][:], group["lengths"][:], **optional)


def write_trajectories(path: str | Path, trajectories: Trajectories, *, provenance: Provenance | None = None) -> None:
    """Write trajectories with their manifest."""
    write_hdf5(path, _SCHEMA, trajectory_arrays(trajectories), provenance=provenance)


def read_trajectories(path: str | Path) -> Trajectories:
    """Read what `write_trajectories` wrote, or an .npz file of the same arrays.

    An .npz file holds ``inputs`` (N, T, m) and ``outputs`` (N, T, q); it may hold ``lengths`` (N,), by default T each,
    ``labels`` (N,) and ``observed`` (N, T, q).

    Raises
    ------
    FormatError
        If the file is not whole, or of another kind.
    DataError
        If its arrays do not fit together.
    """
    path = Path(path)
    if path.suffix == ".npz":
        return _from_npz(path)
    if path.suffix not in (".h5", ".hdf5"):
        raise FormatError(
            f"{path} is no file of trajectories by its name", "a name that ends with .h5, .hdf5 or .npz", "convert it"
        )
    remedy = "give a file of trajectories: made by spikeline molds simulate or by the workflow, or an .npz file"
    with open_hdf5(path, _SCHEMA, remedy=remedy) as file:
        return trajectories_of(file)


def _from_npz(path: Path) -> Trajectories:
    if not path.is_file():
        raise FormatError(f"{path} does not exist", "an .npz file of trajectories", "correct the path")
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise FormatError(
            f"{path} cannot be read as .npz ({error})", "plain arrays saved by numpy.savez", "save it again"
        ) from error
    if missing := sorted({"inputs", "outputs"} - set(arrays)):
        raise FormatError(
            f"{path} has no array {' and no array '.join(missing)}; it has {', '.join(sorted(arrays)) or 'none'}",
            "inputs (N, T, m) and outputs (N, T, q)",
            "save them under these names",
        )
    if unknown := sorted(set(arrays) - {field.name for field in dataclasses.fields(Trajectories)}):
        raise FormatError(
            f"{path} has an array {' and an array '.join(unknown)}, which is none of a file of trajectories",
            "inputs, outputs, and where wanted lengths, labels and observed",
            "correct its name, or leave it out",
        )
    kinds = {"inputs": np.float64, "outputs": np.float64, "lengths": np.int64, "labels": np.int64, "observed": bool}
    for name in kinds:
        if name in arrays and arrays[name].dtype.kind not in "biuf":
            raise FormatError(f"{path}: {name} is of type {arrays[name].dtype}", "real numbers", "save it as numbers")
    with np.errstate(invalid="ignore"):  # what is changed by it is named below
        known = {name: arrays[name].astype(kind) for name, kind in kinds.items() if name in arrays}
    for name in ("lengths", "labels", "observed"):
        if name in known and not np.array_equal(known[name], arrays[name]):
            raise FormatError(
                f"{path}: {name} has numbers that are no {'truth values' if name == 'observed' else 'whole numbers'}",
                "0 or 1 (or booleans)" if name == "observed" else "whole numbers",
                "round them before saving, knowing why they were not",
            )
    for name in ("inputs", "outputs"):
        if known[name].ndim != 3:
            raise FormatError(
                f"{path}: {name} has shape {known[name].shape}",
                "three axes: trajectories, steps, " + name,
                "add the missing axis, e.g. outputs[..., None]",
            )
    if "lengths" not in known:
        known["lengths"] = np.full(len(known["inputs"]), known["inputs"].shape[1], np.int64)
    return Trajectories(**known)
