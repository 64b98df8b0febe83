"""What a settings model says about each of its keys: the common ground of error messages and commented YAML."""

from __future__ import annotations

import functools
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, Union

from pydantic.fields import FieldInfo

from spikeline.config.base import Settings

__all__ = ["Key", "all_keys", "find_key", "keys_of", "shortest_number"]

_BOUNDS = {"gt": "above {}", "ge": "at least {}", "lt": "below {}", "le": "at most {}"}


def shortest_number(value: float) -> str:
    """A number as a person would type it: 10000, 0.25, 1e-05."""
    return f"{value:.12g}"


@dataclass(frozen=True)
class Key:
    """One key of a settings model.

    Parameters
    ----------
    name, unit, description
        As in the model.
    kind
        What a value looks like, in words: ``"a number"``, ``"one of a, b"``.
    required
        True if there is no default.
    default
        The default as plain JSON values; None for required keys.
    example
        A plain value for the reference file where there is no default.
    bounds
        Of ``gt``, ``ge``, ``lt``, ``le``.
    choices
        Allowed values, for names from a list.
    block
        The model of the settings below this key, if there are any.
    named
        True if entries of that model lie below names the user chooses.
    """

    name: str
    unit: str
    description: str
    kind: str
    required: bool
    default: Any
    example: Any
    bounds: dict[str, float]
    choices: tuple[Any, ...]
    block: type[Settings] | None
    named: bool

    @property
    def expected(self) -> str:
        """Kind, unit and bounds in words."""
        bounds = " and ".join(
            text.format(shortest_number(self.bounds[name])) for name, text in _BOUNDS.items() if name in self.bounds
        )
        unit = f" in {self.unit}" if self.unit else ""
        return f"{self.kind}{unit}{', ' + bounds if bounds else ''}"

    def allows(self, number: float) -> bool:
        """Whether a number lies within the bounds."""
        bounds = self.bounds
        return (
            ("gt" not in bounds or number > bounds["gt"])
            and ("ge" not in bounds or number >= bounds["ge"])
            and ("lt" not in bounds or number < bounds["lt"])
            and ("le" not in bounds or number <= bounds["le"])
        )


def _is_block(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Settings)


def _kind(annotation: Any) -> str:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _kind(arguments[0])
    if origin in (Union, types.UnionType):
        return " or ".join("null" if a is type(None) else _kind(a) for a in arguments)
    if origin is Literal:
        return "one of " + ", ".join(map(str, arguments))
    if origin is tuple:
        return "two numbers [low, high]"
    if origin is list and typing.get_origin(arguments[0]) is Literal:
        return f"a list out of {', '.join(map(str, typing.get_args(arguments[0])))}"
    if origin is list:
        return f"a list of {_kind(arguments[0]).removeprefix('a ').removesuffix('s').replace('text', 'name')}s"
    if origin is dict:
        return "names, each with a block of settings" if _is_block(arguments[1]) else "names, each with a value"
    if _is_block(annotation):
        return "a block of settings"
    return {float: "a number", int: "a whole number", str: "text", bool: "true or false"}.get(annotation, "any value")


def _describe(name: str, field: FieldInfo) -> Key:
    annotation = field.annotation
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    named = origin is dict and _is_block(arguments[1])
    block = arguments[1] if named else annotation if _is_block(annotation) else None
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    required = field.is_required()
    default = None if required else field.get_default(call_default_factory=True)
    return Key(
        name=name,
        unit=str(extra.get("unit", "")),
        description=field.description or "",
        kind=_kind(annotation),
        required=required,
        default=_plain(default),
        example=field.examples[0] if field.examples else None,
        bounds={
            bound: getattr(m, bound) for m in field.metadata for bound in _BOUNDS if getattr(m, bound, None) is not None
        },
        choices=arguments if origin is Literal else (),
        block=block,
        named=named,
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Settings):
        return value.plain()
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    return list(value) if isinstance(value, tuple) else value


@functools.cache
def keys_of(model: type[Settings]) -> dict[str, Key]:
    """The keys of one settings model, by name."""
    return {name: _describe(name, field) for name, field in model.model_fields.items()}


def all_keys(model: type[Settings], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Key]]:
    """Every key at and below a model with its path; chosen names stand as ``NAME``."""
    for name, key in keys_of(model).items():
        yield (*path, name), key
        if key.block is not None:
            yield from all_keys(key.block, (*path, name, "NAME") if key.named else (*path, name))


def find_key(
    model: type[Settings], path: tuple[str | int, ...]
) -> tuple[Key | None, type[Settings] | None, tuple[str | int, ...]]:
    """Follow a path from a model.

    Returns
    -------
    key
        The last key on the path that exists; None if there is none.
    block
        The model in which the rest of the path would have to be a key; None inside a plain value.
    rest
        What of the path lies beyond ``key``; empty if the path names the key itself.
    """
    key: Key | None = None
    block: type[Settings] | None = model
    while path:
        if block is None or path[0] not in (known := keys_of(block)):
            break
        key, path = known[str(path[0])], path[1:]
        block = key.block
        if key.named:
            if not path:
                block = None
            path = path[1:]
    return key, block, path
