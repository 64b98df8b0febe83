"""Files with a group for each task."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from spikeline.artifacts import Provenance, create_hdf5, open_hdf5
from spikeline.dynamics.trajectories import Trajectories

__all__ = ["TaskFile", "open_tasks", "piece_of", "task_file", "tasks_in"]

_PREFIX = "molds-"


class TaskFile:
    """A file that is being written."""

    def __init__(self, file: h5py.File) -> None:
        self.file = file

    def write(self, group: str, arrays: Mapping[str, np.ndarray], **attributes: Any) -> h5py.Group:
        """Write a group of arrays and facts; its name says the task, and with slashes what of it."""
        made = self.file.require_group(group)
        for name, array in arrays.items():
            made.create_dataset(name, data=np.asarray(array), track_times=False)
        for name, value in attributes.items():
            made.attrs[name] = value
        return made


@contextlib.contextmanager
def task_file(path: str | Path, what: str, provenance: Provenance | None = None) -> Iterator[TaskFile]:
    """A new file of some step, whole or not at all.

    Parameters
    ----------
    path
        Where it goes.
    what
        Which step's, e.g. ``"whitening"``.
    provenance
        For the manifest.
    """
    with create_hdf5(path, _PREFIX + what, provenance=provenance) as file:
        yield TaskFile(file)


@contextlib.contextmanager
def open_tasks(path: str | Path, what: str) -> Iterator[h5py.File]:
    """A file of some step, open for reading.

    Raises
    ------
    FormatError
        If the file is not whole, or of another step.
    """
    with open_hdf5(path, _PREFIX + what) as file:
        yield file


def tasks_in(data: h5py.File) -> list[str]:
    """Names of the tasks of a file of data, in the order of the plan."""
    return sorted(data, key=lambda name: data[name].attrs["place"])


def piece_of(group: h5py.Group, first: int = 0, count: int | None = None) -> Trajectories:
    """Trajectories ``first`` to ``first + count`` of a task, all from there on without a count; no other is read."""
    chosen = slice(first, None if count is None else first + count)
    arrays = {name: group[name][chosen] for name in ("inputs", "outputs", "lengths", "labels")}
    return Trajectories(**arrays)
