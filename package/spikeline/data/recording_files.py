"""Recordings in the formats of the field, each opened by the reader that SpikeInterface has for it.

No format is read here. Which reader takes a file follows from its extension, as Neo, whose readers most of
SpikeInterface's are, lists them; a folder is taken by the reader whose files lie in it.
"""

from __future__ import annotations

import difflib
import functools
import inspect
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikeline.data.spikeinterface_folder import read_spikeinterface_folder
from spikeline.errors import ConfigError, FormatError

if TYPE_CHECKING:
    import spikeinterface as si

__all__ = ["open_recording", "readers_for"]

# Readers that need more than a path, or stand for no format.
_NOT_BY_PATH = ("binaryfolder", "zarr", "binary", "numpy", "ibl", "nwbtimeseries", "whitematter")
# SpikeInterface's own readers, of which Neo knows nothing.
_EXTENSIONS = {"nwb": ("nwb",), "mda": ("mda",), "compressedbinaryibl": ("cbin",)}
# The argument that chooses one of several streams, where it is not stream_name or stream_id.
_STREAM_ARGUMENT = {"nwb": "electrical_series_path"}


@dataclass(frozen=True)
class _Reader:
    """A reader of SpikeInterface's: its name there, the extensions of its files, whether it takes their folder."""

    name: str
    extensions: frozenset[str]
    takes_folder: bool


@functools.cache
def _readers() -> dict[str, _Reader]:
    import neo.rawio
    from spikeinterface.extractors import recording_extractor_full_dict
    from spikeinterface.extractors.neoextractors import neo_recording_class_dict

    found = {}
    for name, reader in recording_extractor_full_dict.items():
        if name in _NOT_BY_PATH:
            continue
        reads = neo_recording_class_dict.get(name, reader)
        neo_class = getattr(neo.rawio, getattr(reads, "NeoRawIOClass", None) or "", None)
        extensions = _EXTENSIONS.get(name, () if neo_class is None else neo_class.extensions)
        first = next(iter(inspect.signature(reads).parameters))
        found[name] = _Reader(name, frozenset(map(str.lower, extensions)), first.startswith("folder"))
    return found


def readers_for(path: str | Path) -> list[str]:
    """Names of the readers that could open a file or folder: one if its extensions leave no doubt.

    A folder belongs to the reader with most of the extensions in it, at any depth, that no other reader of folders has.
    """
    path, readers = Path(path), _readers()
    if not path.is_dir():
        extension = path.suffix[1:].lower()
        return sorted(name for name, reader in readers.items() if extension in reader.extensions)
    inside = {file.suffix[1:].lower() for file in path.rglob("*") if file.is_file()}
    folders = {name: reader.extensions & inside for name, reader in readers.items() if reader.takes_folder}
    marks = {
        name: sum(all(mark not in extensions for other, extensions in folders.items() if other != name) for mark in own)
        for name, own in folders.items()
    }
    most = max(marks.values(), default=0)
    return sorted(name for name, count in marks.items() if count == most > 0)


def open_recording(path: str | Path, reader: str | None = None, stream: str | None = None) -> si.BaseRecording:
    """Open a recording: a folder that SpikeInterface saved, or files that one of its readers reads.

    Parameters
    ----------
    path
        File or folder.
    reader
        SpikeInterface's name of the reader, such as ``spikeglx``; chosen by the extension if it is left out.
    stream
        Name or id of the stream, in files that hold several.

    Raises
    ------
    ConfigError
        If no reader or several could be meant, a reader is unknown or needs a package that is not installed, or the
        files hold several streams and none, or one that is not there, is chosen.
    FormatError
        If there is nothing at the path, or the reader cannot read it.
    """
    path = Path(path)
    if not path.exists():
        raise FormatError(f"{path} does not exist", "a recording: a file or a folder", "correct the path")
    if reader is None and path.is_dir():
        saved = any((path / name).is_file() for name in ("binary.json", ".zgroup", ".zmetadata", "zarr.json"))
        if saved or not readers_for(path):
            recording = read_spikeinterface_folder(path)
            if stream is not None:
                raise ConfigError(f"{path} has no stream {stream!r}", "no stream: it is one", "leave --stream out")
            return recording
    name = _chosen_reader(path) if reader is None else _known_reader(reader)
    source, options = _source(path, name)
    if stream is not None:
        options |= _stream_option(name, source, stream)
    return _opened(path, name, source, options)


def _chosen_reader(path: Path) -> str:
    possible = readers_for(path)
    if len(possible) == 1:
        return possible[0]
    raise ConfigError(
        f"{path} could be for the readers {', '.join(possible)}" if possible else f"no reader takes {path.name}",
        "a file or folder that one reader of SpikeInterface takes",
        f"say which: --reader {possible[0]}"
        if possible
        else "open it in SpikeInterface and save it with recording.save(folder=...), then sort that folder",
    )


def _known_reader(name: str) -> str:
    if name in _readers():
        return name
    near = difflib.get_close_matches(name, _readers(), 1, 0.5)
    raise ConfigError(
        f"there is no reader {name!r}",
        "one of " + ", ".join(sorted(_readers())),
        f"did you mean {near[0]}?" if near else "choose one of them",
    )


def _source(path: Path, name: str) -> tuple[Path, dict[str, Any]]:
    """What a reader is given: the folder of a file if it wants a folder."""
    if not _readers()[name].takes_folder or path.is_dir():
        return path, {}
    return path.parent, {"raw_fname": path.name} if name == "mda" else {}


def _streams(name: str, source: Path) -> tuple[list[str], list[str]]:
    """Names and ids of the streams; empty for a reader that knows no streams."""
    from spikeinterface.extractors.neoextractors import neo_recording_class_dict

    if name not in neo_recording_class_dict:
        return [], []
    names, ids = neo_recording_class_dict[name].get_streams(source)
    return list(map(str, names)), list(map(str, ids))


def _stream_option(name: str, source: Path, stream: str) -> dict[str, Any]:
    if name in _STREAM_ARGUMENT:
        return {_STREAM_ARGUMENT[name]: stream}
    names, ids = _streams(name, source)
    if stream in names or stream in ids:
        return {"stream_name" if stream in names else "stream_id": stream}
    raise ConfigError(
        f"{source} has no stream {stream!r} for the reader {name}",
        "one of " + ", ".join(names) if names else "no stream",
        "choose one of them" if names else "leave --stream out",
    )


def _opened(path: Path, name: str, source: Path, options: dict[str, Any]) -> si.BaseRecording:
    from spikeinterface.extractors import recording_extractor_full_dict

    try:
        opened = recording_extractor_full_dict[name](source, **options)
    except ImportError as error:
        raise ConfigError(
            f"the reader {name} needs a package that cannot be imported ({error})",
            "the package that SpikeInterface names",
            "pip install it",
        ) from error
    except Exception as error:  # every reader has errors of its own
        names = [] if options else _streams_if_readable(name, source)
        if len(names) > 1:
            raise ConfigError(
                f"{path} holds several streams: {', '.join(names)}", "one of them", f"--stream {names[0]!r}"
            ) from error
        raise FormatError(
            f"{path} cannot be read by the reader {name} ({type(error).__name__}: {error})",
            "a recording in its format, complete",
            "check the files; choose another reader with --reader",
        ) from error
    return opened[0] if isinstance(opened, tuple) else opened  # MEArec's comes with its true sorting


def _streams_if_readable(name: str, source: Path) -> list[str]:
    try:
        return _streams(name, source)[0]
    except Exception:  # then the first error is the one to tell
        return []
