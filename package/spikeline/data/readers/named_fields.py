"""Names of things in files whose inner layout an entry of the data-set table may correct."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from spikeline.data.dataset_table import DatasetEntry
from spikeline.errors import ConfigError, FormatError

__all__ = ["field_names", "missing_field"]


def field_names(entry: DatasetEntry, usual: Mapping[str, str]) -> dict[str, str]:
    """What each thing is called in the file: as usual, unless the entry's ``fields`` say otherwise.

    Raises
    ------
    ConfigError
        If ``fields`` names a thing that the reader does not look for.
    """
    unknown = sorted(set(entry.fields) - set(usual))
    if unknown:
        raise ConfigError(
            f"fields of a {entry.reader} entry names {unknown[0]!r}",
            "one of " + ", ".join(usual),
            "correct the entry of config/datasets.yaml",
        )
    return {**usual, **entry.fields}


def missing_field(
    path: str | Path, what: str, name: str, place: str, there: Iterable[str] | Collection[str]
) -> FormatError:
    """The error for something that the file does not have: what it has, and how to say what it is called there."""
    return FormatError(
        f"{path} has no {name!r} ({what}) in {place}; there are: {', '.join(sorted(there)) or 'none'}",
        f"{what} of the session",
        f"if it has another name, write it in the entry of config/datasets.yaml: fields: {{{what}: NAME}}",
    )
