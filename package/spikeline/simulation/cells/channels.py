"""The ion channels that cell models bring: which MOD files, and what is in them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from spikeline.artifacts import file_checksum
from spikeline.errors import DataError
from spikeline.simulation.cells.cell_sources import CellModel

__all__ = ["CONTENTS", "SYNAPSES", "channels_of", "checksums_of", "missing_channels"]

CONTENTS = "channels.json"
"""Beside a compiled library: the checksum of every channel in it."""


SYNAPSES = ("ProbAMPANMDA_EMS.mod", "ProbGABAAB_EMS.mod")
"""Never used here, and they do not compile under NEURON 9 (their VERBATIM blocks use old prototypes)."""


def channels_of(models: Iterable[CellModel]) -> dict[str, Path]:
    """The channel MOD files of all models by file name, the synapses left out.

    Raises
    ------
    DataError
        If two models bring different files of one name: they cannot stand in one library.
    """
    found: dict[str, Path] = {}
    for model in models:
        for path in sorted((model.folder / "mechanisms").glob("*.mod")) if model.folder else []:
            if path.name in SYNAPSES:
                continue
            first = found.setdefault(path.name, path)
            if first.read_bytes() != path.read_bytes():
                raise DataError(
                    f"two different channels are called {path.name}: {first} and {path}",
                    "one content per file name, because all models share one compiled library",
                    "simulate the two models in separate runs, or rename one channel in its MOD and biophysics.hoc",
                )
    return dict(sorted(found.items()))


def checksums_of(channels: Mapping[str, Path]) -> dict[str, str]:
    """SHA-256 of each file, by name."""
    return {name: file_checksum(path) for name, path in channels.items()}


def missing_channels(library_folder: str | Path, models: Iterable[CellModel]) -> list[str]:
    """Channels of the models that the library does not hold as they are now; all of them without a library."""
    try:
        compiled = json.loads((Path(library_folder) / CONTENTS).read_text())["channels"]
    except (OSError, ValueError, KeyError):
        compiled = {}
    return [name for name, checksum in checksums_of(channels_of(models)).items() if compiled.get(name) != checksum]
