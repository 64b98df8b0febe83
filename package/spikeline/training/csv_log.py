"""A CSV table that grows by a row at a time and can be set back to an earlier length."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Mapping
from pathlib import Path

from spikeline.errors import DataError

__all__ = ["CsvLog", "read_log"]


class CsvLog:
    """Append rows of numbers; the first row names the columns.

    Not an artefact: a file to watch while a training runs, beside its checkpoints.

    Parameters
    ----------
    path
        The file. It is set back to ``length`` bytes, and made if it is missing.
    length
        What was there at the checkpoint that is gone on from; 0 for a new training. If the file is shorter (somebody
        cut it), its whole rows are kept: a damaged log is no reason to lose a training.
    """

    def __init__(self, path: Path, length: int = 0) -> None:
        self.path = path
        length = _whole_rows(path, length)
        # Only the length is set back: rows before it are never written again, so they cannot be lost.
        self._stream = path.open("r+b" if length else "wb")
        self._stream.truncate(length)
        self._columns = self._read_columns() if length else None
        self._stream.seek(length)

    def _read_columns(self) -> list[str]:
        return next(csv.reader([self._stream.readline().decode()]))

    def append(self, row: Mapping[str, float]) -> None:
        """Add a row.

        Raises
        ------
        DataError
            If its columns are not those of the first row.
        """
        if self._columns is None:
            self._columns = list(row)
            self._write(self._columns)
        if list(row) != self._columns:
            raise DataError(
                f"{self.path.name}: a row has the values {', '.join(row)}",
                f"those of the first row: {', '.join(self._columns)}",
                "let every step and every validation return the same names",
            )
        self._write([_written(value) for value in row.values()])
        self._stream.flush()

    def _write(self, cells: list[str]) -> None:
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow(cells)
        self._stream.write(line.getvalue().encode())

    def commit(self) -> int:
        """Flush to the disk; the length so far, in bytes."""
        self._stream.flush()
        os.fsync(self._stream.fileno())
        return self._stream.tell()

    def close(self) -> None:
        """Close the file."""
        self._stream.close()


def _whole_rows(path: Path, length: int) -> int:
    if not length or not path.is_file():
        return 0
    if path.stat().st_size >= length:
        return length
    return path.read_bytes().rfind(b"\n") + 1


def _written(value: float) -> str:
    if isinstance(value, int):
        return str(value)
    return "" if math.isnan(value) else f"{value:.9g}"


def read_log(path: Path) -> list[dict[str, float]]:
    """The rows of a log; an empty cell is NaN. No rows if the file is missing or empty."""
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as stream:
        return [{name: _read(cell) for name, cell in row.items()} for row in csv.DictReader(stream)]


def _read(cell: str) -> float:
    if cell.isdigit():
        return int(cell)
    return float(cell) if cell else math.nan
