"""The shard table: what there is, and what a recording is made of."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikeline.config.load import parse_run
from spikeline.errors import ConfigError
from spikeline.simulation.shards import bank_shards, cast_of_recording, variant_names


def run_settings(units: int = 3, background: int = 4, variants: int = 2, seeds: int = 2, seed: int = 1) -> Any:
    return parse_run(
        {
            "run": "r",
            "seed": seed,
            "simulation": {
                "cells": {"train": ["a", "b"], "test": ["c", "d", "e"], "variants": {"count": variants}},
                "bank": {"seeds": seeds},
            },
            "recordings": {
                "x": {"units": units, "drive": "events", "noise": {"background_units": background}},
                "y": {"units": units, "drive": "events", "split": "train"},
            },
        }
    )


def test_table_of_all_entries() -> None:
    simulation = run_settings().simulation
    shards = bank_shards(simulation)
    assert len(shards) == len(set(shards)) == 5 * 2 * 2
    assert shards[0].name == "a/v000-0" and shards[-1].name == "e/v001-1"
    assert variant_names(simulation) == ["v000", "v001"]
    assert set(bank_shards(simulation, "train")) | set(bank_shards(simulation, "test")) == set(shards)


@given(units=st.integers(1, 12), background=st.integers(0, 30), seed=st.integers(0, 2**31 - 1))
def test_cast(units: int, background: int, seed: int) -> None:
    settings = run_settings(units, background, seed=seed)
    cast = cast_of_recording(settings, "x")
    assert cast == cast_of_recording(settings, "x")
    assert len(cast.units) == len(set(cast.units)) == units
    assert {shard.cell for shard in cast.units + cast.background} <= {"c", "d", "e"}
    # no cell model stands in it a second time before each stands in it once
    counts = [sum(shard.cell == cell for shard in cast.units) for cell in "cde"]
    assert max(counts) - min(counts) <= 1
    assert len(cast.background) == min(background, 12)
    if background <= 12 - units:
        assert not set(cast.background) & set(cast.units)


def test_sides_of_the_split_never_meet() -> None:
    settings = run_settings()
    train, test = cast_of_recording(settings, "y"), cast_of_recording(settings, "x")
    assert not {s.cell for s in train.units + train.background} & {s.cell for s in test.units + test.background}


def test_too_many_units_name_the_keys_to_change() -> None:
    with pytest.raises(ConfigError, match=r"3 cells x 2 variants x 2 seeds") as error:
        cast_of_recording(run_settings(units=13), "x")
    assert "recordings.x.units" in error.value.remedy
