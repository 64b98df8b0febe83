"""A mixture in an HDF5 artefact, one array per matrix."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import h5py
import numpy as np

from spikeline.artifacts import Provenance, open_hdf5, write_hdf5
from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.systems import LinearSystem

__all__ = ["mixture_arrays", "mixture_of", "read_mixture", "write_mixture"]

_SCHEMA = "mixture"
_MATRICES = tuple(field.name for field in fields(LinearSystem))


def mixture_arrays(mixture: Mixture) -> dict[str, np.ndarray]:
    """Weights (K,) and each matrix of all systems (K, ...), by name: what a file holds."""
    return {"weights": mixture.weights} | {name: mixture.stacked(name) for name in _MATRICES}


def mixture_of(group: h5py.Group) -> Mixture:
    """The mixture whose arrays lie in a group of an HDF5 file."""
    stacks = {name: group[name][:] for name in _MATRICES}
    weights = group["weights"][:]
    return Mixture(
        tuple(LinearSystem(**{name: stacks[name][k] for name in _MATRICES}) for k in range(len(weights))), weights
    )


def write_mixture(path: str | Path, mixture: Mixture, *, provenance: Provenance | None = None) -> None:
    """Write a mixture with its manifest."""
    write_hdf5(path, _SCHEMA, mixture_arrays(mixture), provenance=provenance)


def read_mixture(path: str | Path) -> Mixture:
    """Read what `write_mixture` wrote.

    Raises
    ------
    FormatError
        If the file is not whole, or of another kind.
    """
    with open_hdf5(path, _SCHEMA) as file:
        return mixture_of(file)
