"""The table of external data sets (``config/datasets.yaml``): what each is, where it is from, and its checksum."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, ValidationError

from spikeline.artifacts import file_checksum
from spikeline.config.base import FiniteFloat, Settings, setting
from spikeline.config.yaml_text import read_yaml
from spikeline.errors import ConfigError, DataError

__all__ = [
    "READERS",
    "RECORDING_READERS",
    "DatasetEntry",
    "datasets_at_hand",
    "read_dataset_table",
    "refuse_other_layout",
    "resolve_dataset",
]

READERS = (
    "spikeinterface",
    "tetrode_npz",
    "single_channel_npz",
    "snippets_npz",
    "binned_session_npz",
    "linear_track_npz",
    "viewed_digits_mat",
    "idx",
)
"""Layouts of files and folders: `spikeline.data.readers` reads the recordings, stages to come the others."""

RECORDING_READERS = ("spikeinterface", "tetrode_npz")
"""Those of them that give a recording a sorter can use."""


def _stays_below(path: str) -> str:
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or "\\" in path or re.match(r"^[A-Za-z]:|^~", path):
        raise ValueError(f"{path!r} is not a path below data_root: write it relative to data_root, without '..'")
    return path


class DatasetEntry(Settings):
    """One external data set: a file, or with the reader spikeinterface a folder."""

    title: str = setting(description="What it is, in a sentence.", min_length=1)
    path: Annotated[str, AfterValidator(_stays_below)] = setting(
        description="Where the file or folder lies below data_root.", min_length=1
    )
    reader: Literal[READERS] = setting(description="Layout of the file or folder.")  # type: ignore[valid-type]
    source: str = setting(description="Where to get it: repository, archive or page.", min_length=1)
    version: str = setting(description="Which edition of the source; the checksum pins the bytes.", min_length=1)
    sha256: str = setting(
        description="SHA-256 of the file; of a folder, what `spikeline.artifacts.file_checksum` gives.",
        pattern=r"^[0-9a-f]{64}$",
    )
    licence: str = setting(description="Licence as the source states it, or that it states none.", min_length=1)
    sampling_rate_hz: FiniteFloat | None = setting(
        None, unit="Hz", description="Sampling rate of traces or snippets.", gt=0, le=1e6
    )
    channels: int | None = setting(None, description="Number of channels of traces.", ge=1)
    unit: Literal["uV", "adc", "arbitrary"] | None = setting(
        None, description="Unit of the stored samples: adc means steps of the converter with an unknown gain."
    )
    contact_distance_um: FiniteFloat | None = setting(
        None,
        unit="um",
        description="Distance of neighbouring contacts of a tetrode; say in note where it comes from.",
        gt=0,
        le=1000,
    )
    labels: str = setting(
        "none", description="What is known about it: spike times, classes, behaviour; none if nothing."
    )
    note: str = setting("", description="What a user must know.")


def read_dataset_table(path: str | Path) -> dict[str, DatasetEntry]:
    """Read and check the table.

    Parameters
    ----------
    path
        A YAML file: one block per data set, named by what other settings call it.

    Raises
    ------
    ConfigError
        If the file is missing or not YAML, or an entry has an unknown or missing key, a bad checksum or a path out of
        data_root.
    """
    values, positions = read_yaml(path)
    table, problems = {}, []
    for name, entry in values.items():
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
            problems.append(f"{name!r}: a name becomes part of a path, use letters, digits, '_' and '-'")
        try:
            table[name] = DatasetEntry.parse(entry)
        except ValidationError as error:
            problems += [_problem(name, problem, positions) for problem in error.errors(include_url=False)]
    if problems:
        raise ConfigError(
            f"{path}: {len(problems)} entries cannot be used\n" + "\n".join(f"  - {problem}" for problem in problems),
            "the keys " + ", ".join(DatasetEntry.model_fields),
            "correct the lines named above",
        )
    return table


def _problem(name: str, problem: dict, positions: Mapping[tuple[str | int, ...], str]) -> str:
    location = tuple(problem["loc"])
    key = ".".join(map(str, (name, *location)))
    where = positions.get((name, *location), positions.get((name,), ""))
    if problem["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(location[-1]), DatasetEntry.model_fields, 1, 0.5)
        message = "there is no such key" + (f"; the nearest is {near[0]}" if near else "")
    else:
        message = problem["msg"].removeprefix("Value error, ")
    return f"{key} ({where}): {message}"


def resolve_dataset(name: str, data_root: str | Path, table: Mapping[str, DatasetEntry]) -> Path:
    """The file or folder of a data set, checked: inside data_root, and with the bytes the table was made for.

    Parameters
    ----------
    name
        Entry of the table.
    data_root
        The user's folder of data sets.
    table
        From `read_dataset_table`.

    Raises
    ------
    DataError
        If the name is unknown, data_root is no folder, the file is missing, leads out of data_root through a link, or
        has another checksum.
    """
    path, entry = _file_of(name, data_root, table), table[name]
    checksum = file_checksum(path)
    if checksum != entry.sha256:
        raise DataError(
            f"{path} of data set {name!r} has SHA-256 {checksum}",
            f"{entry.sha256} ({entry.version})",
            "fetch it again; if you mean to use another edition, change sha256 and version in config/datasets.yaml",
        )
    return path


def datasets_at_hand(
    names: Iterable[str],
    data_root: str | Path,
    table: Mapping[str, DatasetEntry],
    readers: Collection[str] = RECORDING_READERS,
) -> dict[str, DatasetEntry]:
    """The named entries, each known, of a usable layout, and there; checksums wait until a file is read.

    Parameters
    ----------
    names, data_root, table
        As in `resolve_dataset`.
    readers
        Layouts that the stage asking can use; recordings unless told otherwise.

    Raises
    ------
    DataError
        As `resolve_dataset`, less the checksum; or if an entry has another layout.
    """
    names = list(names)
    for name in names:
        if name in table:
            refuse_other_layout(name, table, readers)
        _file_of(name, data_root, table)
    return {name: table[name] for name in names}


def refuse_other_layout(
    name: str, table: Mapping[str, DatasetEntry], readers: Collection[str] = RECORDING_READERS
) -> None:
    """Refuse an entry whose layout is none of ``readers``.

    Raises
    ------
    DataError
        Naming the layouts that can be used, and the entries that have them.
    """
    if table[name].reader not in readers:
        usable = ", ".join(other for other, entry in table.items() if entry.reader in readers)
        raise DataError(
            f"data set {name!r} has the layout {table[name].reader}, which is no recording that sorters can use",
            f"one of the readers {', '.join(readers)}: {usable or 'no entry here has one'}",
            "name another entry of config/datasets.yaml under sorting.real_recordings",
        )


def _file_of(name: str, data_root: str | Path, table: Mapping[str, DatasetEntry]) -> Path:
    if name not in table:
        near = difflib.get_close_matches(name, table, 1, 0.4)
        raise DataError(
            f"there is no data set {name!r}",
            "one of " + ", ".join(table),
            f"did you mean {near[0]!r}?" if near else "add it to config/datasets.yaml",
        )
    entry, root = table[name], Path(data_root)
    if not root.is_dir():
        raise DataError(
            f"data_root {root} is not a folder",
            "the folder that holds your data sets",
            "correct data_root in the configuration",
        )
    root = root.resolve()
    # The table refuses such paths when it is read; an entry made in Python has passed the same check, a changed one
    # has not.
    path = root / PurePosixPath(entry.path)
    if not path.resolve().is_relative_to(root):
        raise DataError(
            f"{entry.path} of data set {name!r} leads out of data_root, to {path.resolve()}",
            "a file inside data_root",
            "put the file itself there instead of a link, or set data_root to the folder it really lies in",
        )
    if not (path.is_dir() if entry.reader == "spikeinterface" else path.is_file()):
        what = "folder" if entry.reader == "spikeinterface" else "file"
        raise DataError(
            f"{path} of data set {name!r} " + (f"is not a {what}" if path.exists() else "does not exist"),
            f"the {what} of {entry.source}",
            "get it from there, or leave the data set out",
        )
    return path
