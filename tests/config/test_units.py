"""Units of keys and values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikeline.config.keys import all_keys
from spikeline.config.run import RunSettings
from spikeline.config.units import convert, other_units, parse_quantity, split_unit


@pytest.mark.parametrize(
    ("value", "unit", "target", "expected"),
    [
        (60000, "ms", "s", 60),
        (10, "kHz", "Hz", 10000),
        (0.013, "mm", "um", 13),
        (50, "µV", "mV", 0.05),
        (307.15, "K", "degrees C", 34),
        (5, "%", "fraction", 0.05),
        (3, "mS/cm", "S/m", 0.3),
        (200, "pA", "nA", 0.2),
        (1, "ms", "um", None),
        (1, "furlong", "um", None),
    ],
)
def test_convert(value, unit, target, expected):
    assert convert(value, unit, target) == expected


@given(st.floats(1e-6, 1e6), st.sampled_from(["s", "um", "Hz", "uV", "nA", "S/m"]))
def test_convert_there_and_back(value, unit):
    for other in other_units(unit):
        assert convert(convert(value, unit, other), other, unit) == pytest.approx(value, rel=1e-9)


def test_split_unit():
    assert split_unit("duration_ms") == ("duration", "ms")
    assert split_unit("conductivity_s_per_m") == ("conductivity", "s_per_m")
    assert split_unit("seeds") == ("seeds", "")
    assert split_unit("rms_error_percent") == ("rms_error", "percent")


def test_parse_quantity():
    assert parse_quantity(" -1.5e3 ms ") == (-1500.0, "ms")
    assert parse_quantity("10kHz") == (10.0, "kHz")
    assert parse_quantity("5") == (5.0, "")
    assert parse_quantity("tetrode") is None


def test_every_unit_of_a_setting_stands_in_its_key():
    for path, key in all_keys(RunSettings):
        unit = split_unit(key.name)[1]
        if key.unit == "optimiser steps":
            assert key.name.endswith("steps"), ".".join(path)
        elif key.unit:
            assert unit, f"{'.'.join(path)} is in {key.unit}, and its name does not say so"
            assert convert(1.0, unit, key.unit) == 1.0, f"{'.'.join(path)} is in {key.unit}"
