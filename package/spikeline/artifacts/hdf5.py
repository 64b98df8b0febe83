"""HDF5 artefacts: written atomically with the same bytes every time, read only when whole and free of outside links."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from spikeline.artifacts.atomic import atomic_file
from spikeline.artifacts.manifest import write_manifest
from spikeline.artifacts.provenance import Provenance
from spikeline.errors import FormatError

__all__ = ["check_links", "create_hdf5", "open_hdf5", "write_hdf5"]

_COMPLETE = "spikeline_complete"


def _refuse_outside_links(group: h5py.Group, path: Path, seen: set[int]) -> None:
    address = h5py.h5o.get_info(group.id).addr
    if address in seen:  # hard links may form a loop
        return
    seen.add(address)
    for name in group:
        try:
            link = group.get(name, getlink=True)
        except TypeError:
            raise FormatError(
                f"{path} has a link {group.name}/{name} of a kind of its own",
                "hard and soft links",
                "rewrite the file without it",
            ) from None
        if isinstance(link, h5py.ExternalLink):
            raise FormatError(
                f"{path} links {group.name}/{name} to another file ({link.filename})",
                "a file that holds its own data",
                "copy the linked data into the file; links out of a file are refused because they can read anything",
            )
        if isinstance(link, h5py.SoftLink):
            continue
        item = group[name]
        if isinstance(item, h5py.Group):
            _refuse_outside_links(item, path, seen)
        elif isinstance(item, h5py.Dataset) and item.is_virtual:
            raise FormatError(
                f"{path} assembles {item.name} from other data sets ({item.virtual_sources()[0].file_name})",
                "a file that holds its own data",
                "copy the assembled data into a plain data set",
            )
        elif isinstance(item, h5py.Dataset) and item.external:
            raise FormatError(
                f"{path} keeps the data of {item.name} in another file ({item.external[0][0]})",
                "a file that holds its own data",
                "repack the data set without external storage",
            )


def _opened(path: Path, what: str, remedy: str) -> h5py.File:
    """The file, open for reading, once its links are known to stay inside it."""
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise FormatError(f"{path} cannot be read as HDF5 ({error})", f"a whole {what} file", remedy) from error
    try:
        _refuse_outside_links(file, path, set())
    except (OSError, RuntimeError, KeyError) as error:  # h5py's words for damaged metadata
        file.close()
        raise FormatError(f"{path} cannot be read as HDF5 ({error})", f"a whole {what} file", remedy) from error
    except BaseException:
        file.close()
        raise
    return file


@contextlib.contextmanager
def open_hdf5(
    path: str | Path, schema: str, schema_version: int = 1, *, remedy: str | None = None
) -> Iterator[h5py.File]:
    """Open an HDF5 artefact for reading after checking that it is whole, of this schema, and safe.

    Parameters
    ----------
    path, schema, schema_version
        The file, and what it has to be.
    remedy
        What to do about a file that is not: of one that the user gave, and not a rule made. None: make it again.

    Raises
    ------
    FormatError
        If the file is truncated, of another schema or version, unfinished, or links outside itself.
    """
    path = Path(path)
    if not path.exists():
        raise FormatError(f"{path} does not exist", f"a {schema} file", remedy or "run the rule that makes it")
    remedy = remedy or f"delete {path} and run its rule again"
    with _opened(path, schema, remedy) as file:
        seen = [_attribute(file, name) for name in ("schema", "schema_version")]
        if seen != [schema, schema_version]:
            raise FormatError(
                f"{path} has schema {seen[0]!r} version {seen[1]}", f"{schema!r} version {schema_version}", remedy
            )
        if _attribute(file, _COMPLETE) is not True:
            raise FormatError(f"{path} was never finished", f"a complete {schema} file", remedy)
        yield file


def check_links(path: str | Path) -> None:
    """Check that an HDF5 file of any schema keeps to itself.

    Raises
    ------
    FormatError
        If it cannot be read, or links outside itself.
    """
    path = Path(path)
    _opened(path, "HDF5", f"delete {path} and make it again").close()


def _attribute(file: h5py.File, name: str) -> Any:
    try:
        value = file.attrs.get(name)
    except (OSError, RuntimeError, TypeError) as error:  # damaged
        return f"unreadable ({error})"
    return value.item() if isinstance(value, np.generic) else value


class _Disk(io.FileIO):
    """The file under an HDF5 file. While ``closing``, a failed write is kept in ``error`` instead of being raised.

    If the disk is full when HDF5 flushes at closing time, the file stays half closed, and the interpreter crashes once
    the objects in it are collected. So closing always succeeds, and the error is raised after it.
    """

    closing = False
    error: OSError | None = None

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        done = 0
        try:
            while done < len(view):  # the last write before the disk is full may be a short one
                done += super().write(view[done:])
        except OSError as error:
            if not self.closing:
                raise
            self.error = self.error or error
        return len(view)

    def truncate(self, size: int | None = None) -> int:
        try:
            return super().truncate(size)
        except OSError as error:
            if not self.closing:
                raise
            self.error = self.error or error
        return size or 0


@contextlib.contextmanager
def _new_file(path: Path) -> Iterator[h5py.File]:
    with _Disk(path, "w+") as disk:
        file = h5py.File(disk, "w", libver=("v110", "v110"))
        try:
            yield file
        finally:
            disk.closing = True
            file.close()
        if disk.error is not None:
            raise disk.error


@contextlib.contextmanager
def create_hdf5(
    path: str | Path,
    schema: str,
    schema_version: int = 1,
    *,
    provenance: Provenance | None = None,
    content: Mapping[str, Any] | None = None,
) -> Iterator[h5py.File]:
    """Yield an open HDF5 file that becomes ``path`` (with its manifest) only if the block ends without an error.

    For artefacts too large to hold in memory; `write_hdf5` is the short form for a dictionary of arrays. Data sets made
    in it must pass ``track_times=False`` where h5py's default is not that already, so that equal content gives equal
    bytes.
    """
    path = Path(path)

    def check(temporary: Path) -> None:
        with open_hdf5(temporary, schema, schema_version):
            pass

    shapes: dict[str, Any] = {}
    with atomic_file(path, check) as temporary, _new_file(temporary) as file:
        file.attrs["schema"] = schema
        file.attrs["schema_version"] = schema_version
        yield file
        file.visititems(lambda name, item: _note_shape(shapes, name, item))
        file.attrs[_COMPLETE] = True
    write_manifest(
        path,
        schema=schema,
        schema_version=schema_version,
        provenance=provenance,
        content={"arrays": shapes, **(content or {})},
    )


def _note_shape(shapes: dict[str, Any], name: str, item: h5py.Group | h5py.Dataset) -> None:
    if isinstance(item, h5py.Dataset):
        shapes[name] = {"shape": list(item.shape), "dtype": str(item.dtype), "unit": str(item.attrs.get("unit", ""))}


def write_hdf5(
    path: str | Path,
    schema: str,
    arrays: Mapping[str, np.ndarray],
    *,
    schema_version: int = 1,
    units: Mapping[str, str] | None = None,
    attributes: Mapping[str, Any] | None = None,
    provenance: Provenance | None = None,
) -> None:
    """Write arrays (name -> array, unit from ``units``) and attributes as one artefact with its manifest.

    Raises
    ------
    FormatError
        If an array has dtype object (that would be a pickle).
    """
    with create_hdf5(path, schema, schema_version, provenance=provenance) as file:
        for name, array in arrays.items():
            array = np.asarray(array)
            if array.dtype.hasobject:
                raise FormatError(
                    f"array {name!r} holds Python objects", "plain numbers or strings", "convert it before writing"
                )
            if array.dtype.kind == "U":
                array = array.astype(h5py.string_dtype())
            dataset = file.create_dataset(name, data=array, track_times=False)
            dataset.attrs["unit"] = (units or {}).get(name, "")
        for name, value in (attributes or {}).items():
            file.attrs[name] = value
