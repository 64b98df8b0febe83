"""External data sets below data_root: which of the table are there, and their files, checked."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path, PurePosixPath

from spikeline.artifacts import file_checksum
from spikeline.data.dataset_table import DatasetEntry
from spikeline.data.layouts import LAYOUTS, RECORDING_READERS
from spikeline.errors import DataError

__all__ = ["datasets_at_hand", "datasets_found", "has_ground_truth", "refuse_other_layout", "resolve_dataset"]


def resolve_dataset(name: str, data_root: str | Path, table: Mapping[str, DatasetEntry]) -> Path:
    """The file or folder of a data set, checked: inside data_root, and with the bytes the table was made for.

    Parameters
    ----------
    name
        Entry of the table.
    data_root
        The user's folder of data sets.
    table
        From `spikeline.data.dataset_table.read_dataset_table`.

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


def datasets_found(
    names: Iterable[str],
    data_root: str | Path | None,
    table: Mapping[str, DatasetEntry],
    readers: Collection[str],
) -> tuple[dict[str, DatasetEntry], list[str]]:
    """The named entries that are there, and the names of those whose files are not: for stages that do without.

    Parameters
    ----------
    names, table, readers
        As in `datasets_at_hand`.
    data_root
        None: nothing is there.

    Raises
    ------
    DataError
        If a name is unknown, an entry has another layout, or data_root is no folder.
    """
    found, missing = {}, []
    for name in names:
        if name in table:
            refuse_other_layout(name, table, readers)
        elif data_root is None:
            raise DataError(
                f"there is no data set {name!r}", "one of " + ", ".join(table), "add it to config/datasets.yaml"
            )
        if data_root is not None:
            entry = table.get(name)
            if entry is not None and Path(data_root).is_dir() and not (Path(data_root) / entry.path).exists():
                missing.append(name)
                continue
            _file_of(name, data_root, table)
            found[name] = table[name]
    return found, missing


def has_ground_truth(name: str, data_root: str | Path, table: Mapping[str, DatasetEntry]) -> bool:
    """Whether true spikes come with a data set, by its layout and by what lies there; nothing is read.

    Raises
    ------
    DataError
        As `resolve_dataset`, less the checksum.
    """
    layout = LAYOUTS[table[name].reader] if name in table else None
    path = _file_of(name, data_root, table)
    return bool(layout and layout.truth and (not layout.truth_file or (path / layout.truth_file).is_file()))


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
            f"data set {name!r} has the layout {table[name].reader}, which cannot be used here",
            f"one of the readers {', '.join(readers)}: {usable or 'no entry here has one'}",
            "name another entry of config/datasets.yaml (a run's recordings stand under sorting.real_recordings)",
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
    is_folder = LAYOUTS[entry.reader].folder
    if not (path.is_dir() if is_folder else path.is_file()):
        what = "folder" if is_folder else "file"
        raise DataError(
            f"{path} of data set {name!r} " + (f"is not a {what}" if path.exists() else "does not exist"),
            f"the {what} of {entry.source}",
            "get it from there, or leave the data set out",
        )
    return path
