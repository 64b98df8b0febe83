"""Read the tables that figures are drawn from, and refuse what cannot be drawn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from pandas.api.types import is_numeric_dtype

from spikeline.artifacts import read_csv
from spikeline.errors import FormatError

__all__ = ["read_table"]


def read_table(
    path: str | Path, names: Sequence[str] = (), numbers: Sequence[str] = (), *, may_be_empty: bool = False
) -> pd.DataFrame:
    """The table at ``path`` with at least the columns ``names`` (read as text) and ``numbers`` (read as numbers).

    Raises
    ------
    FormatError
        If the file is missing, lacks a column, has no rows (unless ``may_be_empty``) or has text among the numbers.
    """
    table = read_csv(path)
    remedy = f"delete {path} and run its rule again; a table of your own needs these columns"
    missing = [column for column in (*names, *numbers) if column not in table.columns]
    if missing:
        raise FormatError(
            f"{path} has no column {', '.join(missing)}", f"the columns {', '.join((*names, *numbers))}", remedy
        )
    if table.empty and not may_be_empty:
        raise FormatError(f"{path} has a header and no rows", "something to draw", remedy)
    for column in numbers:
        if not table.empty and not is_numeric_dtype(table[column]):
            raise FormatError(f"{path}: column {column} holds text ({table[column].iloc[0]!r}, ...)", "numbers", remedy)
    return table.astype({column: str for column in names})
