"""Room for what is needed while an artefact is made, and for nothing afterwards."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from spikeline.artifacts.atomic import remove_leftovers

__all__ = ["scratch_beside"]


@contextlib.contextmanager
def scratch_beside(path: str | Path) -> Iterator[Path]:
    """An empty folder beside an artefact that is to be written, gone afterwards.

    Where the artefact goes there is room; the system's folder for temporary files is often small, or lies in memory.
    The folder is called ``.NAME.scratch.tmp-NUMBER``: what a killed process left is known by its name, and goes when
    the same artefact is made again.

    Parameters
    ----------
    path
        The artefact's final place; its folder is made if it is missing.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(path.with_name(f"{path.name}.scratch"))
    folder = path.with_name(f".{path.name}.scratch.tmp-{os.getpid()}")
    folder.mkdir()
    try:
        yield folder
    finally:
        # a network file system keeps the name of a file that is still mapped: then the next time
        shutil.rmtree(folder, ignore_errors=True)
