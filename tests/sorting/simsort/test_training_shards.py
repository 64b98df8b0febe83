"""Which entries a run's networks are trained on."""

from __future__ import annotations

from typing import Any

import pytest

from spikeline.config import RunSettings
from spikeline.errors import ConfigError
from spikeline.sorting.simsort.training_shards import training_shards, validation_cells


def run_settings(train: list[str], **simsort: Any) -> RunSettings:
    cells = {"source": "ball_and_stick", "train": train, "test": ["z"], "variants": {"count": 2}}
    return RunSettings.parse({"run": "x", "simulation": {"cells": cells, "bank": {"seeds": 2}}, "simsort": simsort})


def test_the_last_training_cell_is_held_out_unless_it_is_the_only_one() -> None:
    assert validation_cells(run_settings(["a", "b", "c"])) == ["c"]
    assert validation_cells(run_settings(["a"])) == []
    assert validation_cells(run_settings(["a", "b", "c"], validation_cells=["a", "b"])) == ["a", "b"]
    assert validation_cells(run_settings(["a", "b", "c"], validation_cells=[])) == []


def test_all_of_the_training_side_and_nothing_else() -> None:
    shards = training_shards(run_settings(["a", "b", "c"]))
    assert len(shards) == 3 * 2 * 2 and {shard.cell for shard in shards} == {"a", "b", "c"}


@pytest.mark.parametrize("entries", [1, 3, 4, 7, 12, 100])
def test_a_selection_is_even_over_cells(entries: int) -> None:
    settings = run_settings(["a", "b", "c"], entries=entries)
    shards = training_shards(settings)
    assert shards == training_shards(settings)
    assert len(shards) == len(set(shards)) == min(entries, 12)
    counts = [sum(shard.cell == cell for shard in shards) for cell in "abc"]
    assert max(counts) - min(counts) <= 1
    if entries == 1:  # the cell that is held out comes last
        assert counts[2] == 0


def test_an_empty_training_side_names_the_key_to_change() -> None:
    with pytest.raises(ConfigError, match=r"simulation\.cells\.train is empty"):
        training_shards(run_settings([]))
