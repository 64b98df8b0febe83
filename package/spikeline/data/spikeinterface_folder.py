"""Recordings saved by SpikeInterface: its binary folder and its zarr folder, opened without running anything in them.

``spikeinterface.load`` would unpickle what it finds, and make an object of whatever class a JSON file names. So the two
forms that hold the samples themselves are opened by their own readers, after a look for what those would unpickle.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikeline.artifacts.pickles import pickle_inside
from spikeline.errors import FormatError

if TYPE_CHECKING:
    import spikeinterface as si

__all__ = ["read_spikeinterface_folder"]

_EXPECTED = "a folder made by SpikeInterface's recording.save(folder=..., format='binary') or format='zarr'"
_REMEDY = (
    "load the recording in SpikeInterface, attach its probe, and save it again with recording.save(format='binary')"
)
_PICKLES = (".pkl", ".pickle")
_ZARR_HEADERS = (".zarray", ".zmetadata", "zarr.json")


def read_spikeinterface_folder(folder: str | Path) -> si.BaseRecording:
    """Open a recording that SpikeInterface saved, as it was saved: channels, gains and probe included.

    Samples are read when they are asked for. Whether a sorter can use the recording (one segment, a probe, ...) is
    checked before sorting, by `spikeline.sorting.run.check_recording`.

    Parameters
    ----------
    folder
        A binary folder (it holds ``binary.json``) or a zarr folder.

    Raises
    ------
    FormatError
        If there is no such folder, it is of neither form, all that describes it is a pickle, a part of it would be
        unpickled when read, its samples lie elsewhere, or it is damaged.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FormatError(f"{folder} is not a folder", _EXPECTED, "correct the path")
    binary = (folder / "binary.json").is_file()
    if not binary and not any((folder / name).is_file() for name in (".zgroup", ".zmetadata", "zarr.json")):
        pickles = sorted(path.name for path in folder.iterdir() if path.suffix in _PICKLES)
        raise FormatError(
            f"{folder} is described by a pickle only ({', '.join(pickles)}), which can run anything when it is read"
            if pickles
            else f"{folder} holds neither binary.json nor zarr's own files",
            _EXPECTED,
            _REMEDY,
        )
    if binary:
        _refuse_pickled_properties(folder)
        _refuse_samples_elsewhere(folder)
    else:
        _refuse_pickled_zarr(folder)
    from spikeinterface.core import BinaryFolderRecording
    from spikeinterface.core.zarrextractors import read_zarr_recording

    try:
        return BinaryFolderRecording(folder) if binary else read_zarr_recording(folder)
    except Exception as error:  # SpikeInterface, zarr and probeinterface, each with errors of its own
        raise FormatError(f"{folder} cannot be read ({type(error).__name__}: {error})", _EXPECTED, _REMEDY) from error


def _refuse(path: Path, reason: str) -> None:
    raise FormatError(
        f"{path} would be unpickled when read ({reason}), which can run anything",
        "numbers and text",
        "leave that property out (recording.delete_property) and save the recording again",
    )


def _refuse_pickled_properties(folder: Path) -> None:
    for path in sorted(folder.glob("properties/*.npy")):
        if reason := pickle_inside(path):
            _refuse(path, reason)


def _refuse_pickled_zarr(folder: Path) -> None:
    """Zarr names the codecs of an array in its header, and ``.zmetadata`` repeats all headers."""
    for path in sorted(path for path in folder.rglob("*") if path.name in _ZARR_HEADERS):
        if "pickle" in _codecs(_read_json(path)):
            _refuse(path, "a zarr array of pickled objects")


def _codecs(header: Any) -> Iterator[str]:
    if isinstance(header, dict):
        yield from (str(header[key]).split(".")[-1] for key in ("id", "name") if isinstance(header.get(key), str))
        for value in header.values():
            yield from _codecs(value)
    elif isinstance(header, list):
        for value in header:
            yield from _codecs(value)


def _refuse_samples_elsewhere(folder: Path) -> None:
    described = _read_json(folder / "binary.json")
    kwargs = described.get("kwargs") if isinstance(described, dict) else None
    paths = kwargs.get("file_paths") if isinstance(kwargs, dict) else None
    if not isinstance(paths, list) or not paths or not all(isinstance(path, str) for path in paths):
        raise FormatError(f"{folder / 'binary.json'} names no files of samples", _EXPECTED, _REMEDY)
    for path in paths:
        file = (folder / path).resolve()
        if not file.is_relative_to(folder.resolve()):
            raise FormatError(f"{folder / 'binary.json'} leads out of its folder, to {file}", _EXPECTED, _REMEDY)
        if not file.is_file():
            raise FormatError(f"{file} is missing", "the samples that binary.json names", "copy the whole folder")


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise FormatError(f"{path} is not JSON ({error})", _EXPECTED, _REMEDY) from error
