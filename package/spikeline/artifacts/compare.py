"""Two summaries of headline numbers side by side: what moved, by how much, and what came or went."""

from __future__ import annotations

import fnmatch
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spikeline.artifacts.tables import read_json
from spikeline.errors import FormatError

__all__ = ["Difference", "compare_summaries", "flat", "read_summary"]


@dataclass(frozen=True)
class Difference:
    """One headline number in two summaries.

    Parameters
    ----------
    key
        ``system.figure.metric``.
    now, before
        The values; None where there is none.
    verdict
        ``same`` (within tolerance), ``moved``, ``new`` or ``gone``.
    relative
        (now - before) / abs(before), if both are numbers and before is not 0.
    """

    key: str
    now: Any
    before: Any
    verdict: str
    relative: float | None


def read_summary(path: str | Path) -> dict[str, Any]:
    """The summary in a JSON file, or in ``summary.json`` of a folder, with dotted keys.

    Raises
    ------
    FormatError
        If there is none, or it is no block of keys.
    """
    path = Path(path)
    path = path / "summary.json" if path.is_dir() else path
    document = read_json(path)
    if not isinstance(document, dict):
        raise FormatError(
            f"{path} holds a {type(document).__name__}", "headline numbers by key", "run the rule that makes it again"
        )
    return flat(document)


def flat(document: Mapping[str, Any], parent: str = "") -> dict[str, Any]:
    """Nested blocks as one level of dotted keys."""
    result: dict[str, Any] = {}
    for key, value in document.items():
        name = f"{parent}{key}"
        result |= flat(value, f"{name}.") if isinstance(value, Mapping) else {name: value}
    return result


def compare_summaries(
    now: Mapping[str, Any],
    before: Mapping[str, Any],
    *,
    relative: float = 0.0,
    absolute: float = 0.0,
    ignore: Sequence[str] = (),
) -> list[Difference]:
    """Compare flat summaries, key by key.

    Parameters
    ----------
    now, before
        Key -> value.
    relative, absolute
        A number has moved if it differs by more than ``max(relative * abs(before), absolute)``. Everything else has
        moved if it is not equal.
    ignore
        Shell patterns of keys to leave out, e.g. ``"benchmark.*"``.
    """
    keys = [key for key in sorted({*now, *before}) if not any(fnmatch.fnmatchcase(key, pattern) for pattern in ignore)]
    return [_difference(key, now, before, relative, absolute) for key in keys]


def _difference(
    key: str, now: Mapping[str, Any], before: Mapping[str, Any], relative: float, absolute: float
) -> Difference:
    if key not in before:
        return Difference(key, now[key], None, "new", None)
    if key not in now:
        return Difference(key, None, before[key], "gone", None)
    a, b = now[key], before[key]
    if not (_is_number(a) and _is_number(b)):
        return Difference(key, a, b, "same" if a == b and type(a) is type(b) else "moved", None)
    change = None if b == 0 else (a - b) / abs(b)
    if a == b:
        return Difference(key, a, b, "same", change)
    close = math.isfinite(a) and math.isfinite(b) and abs(a - b) <= max(relative * abs(b), absolute)
    return Difference(key, a, b, "same" if close else "moved", change)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
