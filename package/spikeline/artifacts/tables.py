"""Tidy tables (CSV) and small documents (JSON) as artefacts."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikeline.artifacts.atomic import atomic_file
from spikeline.artifacts.manifest import write_manifest
from spikeline.artifacts.plain import plain_json
from spikeline.artifacts.provenance import Provenance
from spikeline.errors import FormatError

if TYPE_CHECKING:  # pandas takes a quarter of a second to import, and most artefacts are not tables
    import pandas as pd

__all__ = ["read_csv", "read_json", "write_csv", "write_json"]


def write_json(path: str | Path, document: Any, *, schema: str = "json", provenance: Provenance | None = None) -> None:
    """Write a JSON document with its manifest; NaN and infinity are refused because JSON has no form for them."""
    text = plain_json(document, str(path))
    with atomic_file(path, lambda p: json.loads(p.read_text(encoding="utf-8"))) as temporary:
        temporary.write_text(text, encoding="utf-8")
    write_manifest(path, schema=schema, provenance=provenance)


def read_json(path: str | Path) -> Any:
    """Read a JSON document.

    Raises
    ------
    FormatError
        If the file is missing or not JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FormatError(f"{path} does not exist", "a JSON file", "run the rule that makes it") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise FormatError(
            f"{path} is not JSON ({error})", "a whole JSON file", f"delete {path} and run its rule again"
        ) from error


def write_csv(
    path: str | Path, table: pd.DataFrame, *, schema: str = "table", provenance: Provenance | None = None
) -> None:
    """Write a tidy table (one row per measured value or item) with its manifest; floats keep 9 significant digits."""

    def check(temporary: Path) -> None:
        with temporary.open(newline="", encoding="utf-8") as stream:
            rows = sum(1 for _ in csv.reader(stream)) - 1
        if rows != len(table):
            raise FormatError(f"{path} reads back with {rows} rows", f"{len(table)} rows", "run its rule again")

    with atomic_file(path, check) as temporary:
        table.to_csv(temporary, index=False, float_format="%.9g", lineterminator="\n")
    write_manifest(
        path,
        schema=schema,
        provenance=provenance,
        content={"columns": list(map(str, table.columns)), "rows": len(table)},
    )


def read_csv(path: str | Path) -> pd.DataFrame:
    """Read a table written by `write_csv`.

    Raises
    ------
    FormatError
        If the file is missing or empty.
    """
    import pandas as pd

    try:
        return pd.read_csv(path)
    except FileNotFoundError:
        raise FormatError(f"{path} does not exist", "a CSV table", "run the rule that makes it") from None
    except pd.errors.EmptyDataError:
        raise FormatError(
            f"{path} is empty", "a CSV table with a header", f"delete {path} and run its rule again"
        ) from None
