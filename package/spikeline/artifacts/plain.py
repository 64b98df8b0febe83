"""Python and numpy values as JSON text: one form, the same bytes every time."""

from __future__ import annotations

import json
from typing import Any

from spikeline.errors import FormatError

__all__ = ["plain_json"]


def _plain(value: Any) -> Any:
    if hasattr(value, "plain"):  # settings
        return value.plain()
    if hasattr(value, "tolist"):  # numpy scalars and arrays
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no plain JSON form")


def plain_json(document: Any, name: str, indent: int | None = 1) -> str:
    """JSON text with sorted keys; arrays become lists.

    Raises
    ------
    FormatError
        For NaN and infinity, which JSON has no form for, and for objects that are not plain values.
    """
    separators = (",", ":") if indent is None else None
    try:
        text = json.dumps(
            document, indent=indent, sort_keys=True, default=_plain, allow_nan=False, separators=separators
        )
    except ValueError as error:
        raise FormatError(
            f"{name}: {error}", "finite numbers (or null)", "store null where a value is undefined"
        ) from error
    except TypeError as error:
        raise FormatError(
            f"{name}: {error}", "numbers, text, lists and dictionaries with text keys", "convert it first"
        ) from error
    return text + "\n"
