"""Finding pickles, whatever they are called: reading one can run any code, so no artefact may hold one."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from numpy.lib import format as npy_format

__all__ = ["pickle_inside"]

_SUFFIXES = {".pkl", ".pickle", ".joblib", ".pt", ".pth", ".ckpt", ".dill"}
_NPY, _ZIP = b"\x93NUMPY", b"PK\x03\x04"


def pickle_inside(path: Path) -> str | None:
    """Why a file counts as a pickle; None if it does not. Nothing is unpickled to find out."""
    if path.suffix.lower() in _SUFFIXES:
        return f"its name ends in {path.suffix}"
    if path.name == ".zarray":
        return _in_zarr(path)
    with path.open("rb") as stream:
        head = stream.read(6)
        if head == _NPY:
            stream.seek(0)
            return "a numpy array of Python objects" if _npy_has_objects(stream) else None
        # Protocols 2 to 5 open with 0x80 and the protocol, and every pickle ends with a full stop.
        if len(head) > 2 and head[0] == 0x80 and head[1] in (2, 3, 4, 5):
            stream.seek(-1, 2)
            return "it has the first and last bytes of a pickle" if stream.read(1) == b"." else None
    return _in_zip(path) if head[:4] == _ZIP else None


def _npy_has_objects(stream: object) -> bool:
    try:
        version = npy_format.read_magic(stream)
        read = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
        return bool(read(stream)[2].hasobject)
    except ValueError:
        return True  # a header numpy itself cannot read is no array to trust


def _in_zip(path: Path) -> str | None:
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.namelist():
                if Path(member).suffix.lower() in _SUFFIXES:
                    return f"its member {member} is a pickle"
                if member.endswith(".npy"):
                    with archive.open(member) as stream:
                        if _npy_has_objects(stream):
                            return f"its member {member} is a numpy array of Python objects"
    except zipfile.BadZipFile:
        return "a damaged zip archive that cannot be looked into"
    return None


def _in_zarr(path: Path) -> str | None:
    try:
        header = json.loads(path.read_text(encoding="utf-8"))
        filters = [entry.get("id") for entry in (header.get("filters") or [])]
    except (ValueError, AttributeError):
        return "a zarr header that cannot be read"
    return "a zarr array of pickled objects" if "pickle" in filters else None
