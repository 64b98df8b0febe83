"""The state of a fit on the disk: where it goes on after it was killed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from spikeline.artifacts import config_hash, manifest_path, open_hdf5, write_hdf5
from spikeline.config.molds import EMSettings
from spikeline.dynamics.em.anderson import Memory
from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.mixture_files import mixture_arrays, mixture_of
from spikeline.dynamics.systems import LinearSystem
from spikeline.dynamics.trajectories import Trajectories
from spikeline.errors import DataError

__all__ = ["Checkpoint", "FitState", "fit_identity"]

_SCHEMA = "em-checkpoint"
# What may change between two attempts: when the state is kept decides nothing.
_FREE = ("checkpoint_minutes",)


@dataclass(frozen=True)
class FitState:
    """Where a fit stands: before the E-step under its mixture.

    Parameters
    ----------
    mixture
        Reached so far.
    log_likelihoods
        Of the E-steps taken.
    notes
        What was noted so far.
    fallback
        If the mixture is an extrapolation: where EM itself would have gone.
    memory
        What extrapolations are made from.
    """

    mixture: Mixture
    log_likelihoods: tuple[float, ...]
    notes: tuple[str, ...]
    fallback: Mixture | None = None
    memory: Memory | None = None

    def __post_init__(self) -> None:
        # As they are when they are read: sums round differently over other orders of memory.
        for name in ("mixture", "fallback"):
            if (mixture := getattr(self, name)) is not None:
                object.__setattr__(self, name, _in_order(mixture))

    def taken_back(self, log_likelihoods: tuple[float, ...]) -> FitState:
        """Where EM itself would have gone, in the place of the extrapolation."""
        assert self.fallback is not None and self.memory is not None
        return FitState(self.fallback, log_likelihoods, self.notes, memory=self.memory.forgotten(for_longer=True))


def _in_order(mixture: Mixture) -> Mixture:
    names = [field.name for field in fields(LinearSystem)]
    matrices = [{name: getattr(system, name) for name in names} for system in mixture.systems]
    if all(matrix.flags.c_contiguous for own in matrices for matrix in own.values()):
        return mixture
    systems = (LinearSystem(**{name: np.ascontiguousarray(own[name]) for name in names}) for own in matrices)
    return Mixture(tuple(systems), mixture.weights)


def _memory_of(group: h5py.Group) -> Memory:
    arrays = {field.name: group[field.name][()] for field in fields(Memory)}
    return Memory(**(arrays | {"wait": int(arrays["wait"])}))


def fit_identity(trajectories: Trajectories, start: Mixture, settings: EMSettings, engine: object) -> dict[str, str]:
    """What decides the bytes of a fit, by name: hashes of what is in the trajectories, the start and the settings."""
    inside, seen = trajectories.inside()[..., None], trajectories.known()
    data = {
        "inputs": np.where(inside, trajectories.inputs, 0.0),
        "outputs": np.where(seen, trajectories.outputs, 0.0),
        "observed": seen,
        "lengths": trajectories.lengths,
    }
    kept = {name: value for name, value in settings.plain().items() if name not in _FREE}
    return {
        "trajectories": _hash_of(data),
        "start": _hash_of(mixture_arrays(start)),
        "settings": config_hash(kept),
        "engine": getattr(engine, "name", type(engine).__name__),
    }


def _hash_of(arrays: dict[str, np.ndarray]) -> str:
    digest = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        digest.update(f"{name}\0{array.shape}\0{array.dtype}\0".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()[:16]


class Checkpoint:
    """The checkpoint of one fit.

    Parameters
    ----------
    path
        An HDF5 file of this fit alone, outside the declared outputs of a rule.
    identity
        Of the fit: see `fit_identity`.
    """

    def __init__(self, path: Path, identity: dict[str, str]) -> None:
        self._path, self._identity = Path(path), identity

    def read(self) -> FitState | None:
        """The state to go on from; None if there is none.

        Raises
        ------
        DataError
            If the file belongs to another fit; it stays as it is, because that fit may still need it.
        FormatError
            If the file is damaged.
        """
        if not self._path.exists():
            return None
        with open_hdf5(self._path, _SCHEMA) as file:
            for name, mine in self._identity.items():
                self._compare(name, mine, file.attrs.get(name))
            return FitState(
                mixture_of(file["mixture"]),
                tuple(file["log_likelihoods"][:].tolist()),
                tuple(str(file.attrs["notes"]).splitlines()),
                fallback=mixture_of(file["fallback"]) if "fallback" in file else None,
                memory=_memory_of(file["memory"]) if "memory" in file else None,
            )

    def _compare(self, name: str, mine: str, theirs: Any) -> None:
        if mine != theirs:
            raise DataError(
                f"{self._path} holds the checkpoint of another fit: {name} {theirs} there, and {mine} here",
                "a checkpoint of the same trajectories, start, settings and engine",
                "give each fit a checkpoint of its own, or delete this one if the other fit is not wanted any more",
            )

    def write(self, state: FitState) -> None:
        """Put the state in place of an older one, whole or not at all."""
        arrays = {f"mixture/{name}": array for name, array in mixture_arrays(state.mixture).items()}
        arrays["log_likelihoods"] = np.array(state.log_likelihoods)
        if state.fallback is not None:
            arrays |= {f"fallback/{name}": array for name, array in mixture_arrays(state.fallback).items()}
        if state.memory is not None:
            arrays |= {
                f"memory/{field.name}": np.asarray(getattr(state.memory, field.name)) for field in fields(Memory)
            }
        write_hdf5(self._path, _SCHEMA, arrays, attributes={**self._identity, "notes": "\n".join(state.notes)})

    def remove(self) -> None:
        """The fit is done: nothing is left to go on from."""
        manifest_path(self._path).unlink(missing_ok=True)
        self._path.unlink(missing_ok=True)
