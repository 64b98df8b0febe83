"""The base of every settings model: no unknown keys, no silent conversions, and errors that name the right key."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

__all__ = ["FiniteFloat", "Range", "Settings", "other_default", "setting"]


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError("must be a finite number")
    return value


def _ordered(value: tuple[float, float]) -> tuple[float, float]:
    if value[0] > value[1]:
        raise ValueError(f"the lower bound {value[0]} is above the upper bound {value[1]}")
    return value


FiniteFloat = Annotated[float, AfterValidator(_finite)]
Range = Annotated[tuple[FiniteFloat, FiniteFloat], AfterValidator(_ordered)]


class Settings(BaseModel):
    """A block of settings. Frozen, closed (unknown keys are errors) and strict (``"10 ms"`` is not a number)."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, validate_default=True, use_attribute_docstrings=True
    )

    def plain(self) -> dict[str, Any]:
        """The settings as plain JSON values: what a rule gets as ``params``."""
        return self.model_dump(mode="json")

    @classmethod
    def parse(cls, values: Any) -> Self:
        """Settings from plain JSON or YAML values (lists stand for tuples); inverse of `plain`."""
        return cls.model_validate_json(json.dumps(values))


def setting(default: Any = ..., *, unit: str = "", description: str, example: Any = None, **constraints: Any) -> Any:
    """One setting: its default, its unit, and a reason, which become the commented YAML and the JSON schema.

    Parameters
    ----------
    default
        Default value; leave it out for a required setting.
    unit
        Unit of the value, empty for pure numbers and names.
    description
        What it does and why the default is what it is.
    example
        A value for the reference file, for settings that have no default.
    constraints
        Passed to `pydantic.Field` (``gt``, ``ge``, ``le``, ``min_length``, ...).
    """
    facts = {
        "description": description,
        "json_schema_extra": {"unit": unit} if unit else {},
        "examples": None if example is None else [example],
        **constraints,
    }
    return Field(default_factory=default, **facts) if callable(default) else Field(default, **facts)


def other_default(of: type[Settings], name: str, default: Any, because: str = "") -> Any:
    """A setting of a base class with another default; its description, unit and bounds stay.

    Parameters
    ----------
    of
        The base class.
    name
        The setting.
    default
        The other default.
    because
        Sentences on this default, put after the description.
    """
    field = of.model_fields[name]
    bounds: dict[str, Any] = {}
    for bound in field.metadata:
        if not isinstance(bound, AfterValidator):  # which belongs to the type, and that is written again
            bounds |= dataclasses.asdict(bound)
    extra = field.json_schema_extra
    unit = extra["unit"] if isinstance(extra, dict) and "unit" in extra else ""
    return setting(default, unit=str(unit), description=f"{field.description} {because}".strip(), **bounds)
