"""The finished slices of an unfinished entry: what a killed job resumes from."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
from jaxtyping import Shaped

from spikeline.artifacts import open_hdf5, write_hdf5
from spikeline.errors import FormatError

__all__ = ["SliceStore", "work_folder"]

_SCHEMA = "current-slice"


def work_folder(output: str | Path, key: str) -> Path:
    """Where the slices of ``output`` lie while it is made: hidden beside it, a folder per ``key`` (a settings hash)."""
    output = Path(output)
    return output.with_name(f".{output.name}.work-{key}")


class SliceStore:
    """Numbered slices in a folder, each written whole or not at all."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def _path(self, index: int) -> Path:
        return self.folder / f"slice-{index:06d}.h5"

    def finished(self) -> int:
        """How many slices are there, from the first without a gap; a damaged one and those after it do not count."""
        index = 0
        while self._path(index).exists():
            try:
                self.read(index, ["state"])
            except (FormatError, KeyError, OSError):
                break
            index += 1
        return index

    def write(self, index: int, arrays: dict[str, Shaped[np.ndarray, "*_shape"]]) -> None:
        """Store a slice."""
        write_hdf5(self._path(index), _SCHEMA, arrays)

    def read(self, index: int, names: list[str]) -> dict[str, Shaped[np.ndarray, "*_shape"]]:
        """Some arrays of a slice."""
        with open_hdf5(self._path(index), _SCHEMA) as file:
            return {name: file[name][()] for name in names}

    def remove(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)
