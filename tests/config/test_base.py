"""A setting with another default in a class below: everything else about it is said once, above."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from spikeline.config.base import FiniteFloat, Settings, other_default, setting


class Above(Settings):
    """One of each."""

    length: int = setting(unit="m", description="How long.", example=3, ge=1, le=10)
    share: FiniteFloat | None = setting(0.5, description="How much.", gt=0, lt=1)


class Below(Above):
    """The same, other defaults."""

    share: FiniteFloat | None = other_default(Above, "share", None)
    length: int = other_default(Above, "length", 4, "4 is enough.")


def test_description_unit_and_bounds_stay() -> None:
    facts = Below.model_json_schema()["properties"]
    assert facts["length"] == {
        "default": 4,
        "description": "How long. 4 is enough.",
        "maximum": 10,
        "minimum": 1,
        "title": "Length",
        "type": "integer",
        "unit": "m",
    }
    assert facts["share"]["description"] == "How much." and facts["share"]["default"] is None
    for wrong in ({"length": 11}, {"length": 0}, {"share": 1.0}, {"share": float("nan")}):
        with pytest.raises(ValidationError):
            Below(**wrong)


def test_order_and_the_class_above_stay() -> None:
    assert Below().plain() == {"length": 4, "share": None} and list(Below().plain()) == ["length", "share"]
    assert Above(length=2).plain() == {"length": 2, "share": 0.5}
    with pytest.raises(ValidationError):
        Above()
