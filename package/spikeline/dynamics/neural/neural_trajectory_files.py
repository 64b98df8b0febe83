"""Trajectories of a session in an HDF5 artefact."""

from __future__ import annotations

from pathlib import Path

from spikeline.artifacts import Provenance, open_hdf5, write_hdf5
from spikeline.dynamics.neural.neural_trajectories import NeuralTrajectories
from spikeline.dynamics.trajectory_files import trajectories_of, trajectory_arrays

__all__ = ["read_neural_trajectories", "write_neural_trajectories"]

_SCHEMA = "neural-trajectories"
_OF_TRIALS = ("directions_deg", "parts", "explained")


def write_neural_trajectories(
    path: str | Path, data: NeuralTrajectories, *, provenance: Provenance | None = None
) -> None:
    """Write them with their manifest."""
    arrays = {f"trajectories/{name}": array for name, array in trajectory_arrays(data.trajectories).items()}
    arrays |= {name: getattr(data, name) for name in _OF_TRIALS}
    attributes = {"bin_s": data.bin_s, "delay_s": data.delay_s}
    units = {"directions_deg": "degrees"}
    write_hdf5(path, _SCHEMA, arrays, units=units, attributes=attributes, provenance=provenance)


def read_neural_trajectories(path: str | Path) -> NeuralTrajectories:
    """Read what `write_neural_trajectories` wrote.

    Raises
    ------
    FormatError
        If the file is not whole, or of another kind.
    """
    with open_hdf5(path, _SCHEMA) as file:
        return NeuralTrajectories(
            trajectories=trajectories_of(file["trajectories"]),
            **{name: file[name][:] for name in _OF_TRIALS},
            bin_s=float(file.attrs["bin_s"]),
            delay_s=float(file.attrs["delay_s"]),
        )
