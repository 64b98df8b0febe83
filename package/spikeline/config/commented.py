"""A YAML file with every key, its default, its unit and its reason, written from the models."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from typing import Any

from spikeline.config.base import Settings
from spikeline.config.keys import Key, keys_of, shortest_number
from spikeline.config.run import RunSettings

__all__ = ["REFERENCE_FILE", "commented_yaml"]

REFERENCE_FILE = "config/reference.yaml"
_WIDTH = 110
_HEAD = """\
# yaml-language-server: $schema=../workflow/schemas/config.schema.json
#
# Every key of a configuration with its default, its unit and its reason. Written by `spikeline config write` from
# the models in package/spikeline/config; do not edit. A file of your own needs the required keys, and of the others
# only those that differ. Under recordings and sorting.sorters the names are yours; the entry shown has the defaults.
"""


def commented_yaml() -> str:
    """The text of ``config/reference.yaml``: a valid configuration, required keys filled with an example."""
    return _HEAD + "\n" + "\n".join(_block(RunSettings, 0)) + "\n"


def _block(model: type[Settings], depth: int) -> Iterator[str]:
    for name, key in keys_of(model).items():
        indent = "  " * depth
        if key.block is not None and depth == 0:
            yield ""
        yield from _comment(key, indent)
        if key.named and key.block is not None:
            yield f"{indent}{name}:"
            yield f"{indent}  example:"
            yield from _block(key.block, depth + 2)
        elif key.block is not None:
            yield f"{indent}{name}:"
            yield from _block(key.block, depth + 1)
        else:
            yield f"{indent}{name}: {_value(key.example if key.required else key.default)}"


def _comment(key: Key, indent: str) -> Iterator[str]:
    facts = (
        "" if key.block is not None and not key.required else f" [{'required; ' if key.required else ''}{key.expected}]"
    )
    yield from textwrap.wrap(
        key.description + facts, _WIDTH, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# "
    )


def _value(value: Any) -> str:
    """One value as YAML on one line: JSON, with numbers as people write them and plain names unquoted."""
    if isinstance(value, float):
        mantissa, *exponent = shortest_number(value).split("e")
        # without a point before its exponent a number is text to many readers of YAML
        return "e".join([mantissa if "." in mantissa else f"{mantissa}.0", *exponent])
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, str) and value.replace("_", "").isalnum() and value[0].isalpha():
        return value
    return json.dumps(value)
