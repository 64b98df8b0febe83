"""Trajectories in an HDF5 artefact."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

from spikeline.artifacts import Provenance, open_hdf5, write_hdf5
from spikeline.dynamics.trajectories import Trajectories

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
    """Read what `write_trajectories` wrote.

    Raises
    ------
    FormatError
        If the file is not whole, or of another kind.
    """
    with open_hdf5(path, _SCHEMA) as file:
        return trajectories_of(file)
