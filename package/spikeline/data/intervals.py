"""Stretches of time with what is known of each: trials, splits, anything with a start and a stop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from spikeline.errors import DataError

__all__ = ["Intervals", "check_columns"]


@dataclass(frozen=True)
class Intervals:
    """Intervals [start, stop) in seconds, in any order, overlapping or not.

    Parameters
    ----------
    start, stop
        Seconds, finite.
    columns
        Name -> one value per interval: numbers (NaN where unknown), truth values or text.

    Raises
    ------
    DataError
        If a time is not finite, an interval ends before it starts, or a column has another length.
    """

    start: Float[np.ndarray, " n"]
    stop: Float[np.ndarray, " n"]
    columns: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.start.shape != self.stop.shape:
            raise DataError(
                f"{len(self.start)} starts and {len(self.stop)} stops",
                "as many of each",
                "give one of each per interval",
            )
        wrong = np.flatnonzero(~(np.isfinite(self.start) & np.isfinite(self.stop) & (self.start <= self.stop)))
        if len(wrong):
            first = wrong[0]
            raise DataError(
                f"interval {first} goes from {self.start[first]} s to {self.stop[first]} s",
                "finite times, the start not after the stop",
                "correct it, or leave it out",
            )
        check_columns(self.columns, len(self.start), "interval")

    def __len__(self) -> int:
        return len(self.start)

    def __getitem__(self, chosen: slice | np.ndarray) -> Intervals:
        """Some of them, by a slice, indices or a mask."""
        return Intervals(
            self.start[chosen], self.stop[chosen], {name: column[chosen] for name, column in self.columns.items()}
        )

    def column(self, name: str) -> np.ndarray:
        """A column, or ``start`` or ``stop``.

        Raises
        ------
        DataError
            If there is none of that name; the message lists those that there are.
        """
        if name in ("start", "stop"):
            return getattr(self, name)
        if name not in self.columns:
            raise DataError(
                f"there is no column {name!r}",
                "one of " + ", ".join(["start", "stop", *self.columns]),
                "name one of them, or tell the reader where the file keeps it",
            )
        return self.columns[name]


def check_columns(columns: Mapping[str, np.ndarray], length: int, of_what: str) -> None:
    """Check that every column has one plain value per item.

    Raises
    ------
    DataError
        If one has another length, several axes, or holds Python objects.
    """
    for name, column in columns.items():
        if column.shape != (length,) or column.dtype.kind not in "biufU":
            raise DataError(
                f"column {name!r} has shape {column.shape} and type {column.dtype}",
                f"one number, truth value or text per {of_what}, of which there are {length}",
                "leave the column out, or convert it",
            )
