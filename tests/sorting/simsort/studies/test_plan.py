"""What the studies of a run need: each training once, whoever asks for it."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from spikeline.config.load import parse_run
from spikeline.config.run import RunSettings
from spikeline.errors import ConfigError
from spikeline.sorting.simsort.studies.plan import (
    OWN_WEIGHTS,
    Part,
    study_parts,
    tetrodes,
    tuned_recordings,
    variant_settings,
)
from spikeline.sorting.simsort.training_shards import validation_cells

RECORDINGS = {
    "one": {"units": 1},
    "two": {"units": 1, "duration_s": 20.0, "drive": "events"},
    "grid": {"units": 1, "probe": {"kind": "grid32"}},
    "heard": {"units": 1, "split": "train"},
}


def run_with(studies: dict[str, Any], **others: Any) -> RunSettings:
    studies = {name: {"figure": "ablations", **study} for name, study in studies.items()}
    return parse_run(
        {
            "run": "x",
            "seed": 5,
            "simulation": {"cells": {"train": ["a", "b", "d"], "test": ["c"]}},
            "recordings": RECORDINGS,
            "simsort_studies": studies,
            **others,
        }
    )


def by_name(parts: list[Part]) -> dict[tuple[str, str, int], Part]:
    return {(part.study, part.variant, part.repeat): part for part in parts}


NARROW = {"training": {"detector": {"network": {"width": 16}}}}


def test_what_the_run_trains_anyway_is_not_trained_again() -> None:
    parts, trainings = study_parts(run_with({"s": {"variants": {"all": {}, "narrow": NARROW}}}))
    every, narrow = parts
    assert every.weights == {"detector": OWN_WEIGHTS, "identifier": OWN_WEIGHTS}
    assert narrow.weights == {"detector": "studies/s/narrow/0", "identifier": OWN_WEIGHTS}
    assert set(trainings) == {"studies/s/narrow/0/detector"}
    assert trainings["studies/s/narrow/0/detector"].settings.network.width == 16


def test_two_studies_share_what_is_the_same() -> None:
    short = {"identifier": {"training": {"steps": 70}}}
    studies = {
        "s": {"training": short, "variants": {"all": {}, "narrow": NARROW}},
        "t": {"training": short, "variants": {"all": {}, "other": {"scenes": 3}}},
    }
    parts, trainings = study_parts(run_with(studies))
    named = by_name(parts)
    assert named["t", "all", 0].weights == named["s", "all", 0].weights
    assert named["t", "all", 0].scored == named["s", "all", 0].scored == "s/all/0"
    assert set(trainings) == {
        "studies/s/all/0/identifier", "studies/s/narrow/0/detector",
        "studies/t/other/0/detector", "studies/t/other/0/identifier",
    }  # fmt: skip
    assert trainings["studies/t/other/0/detector"].scenes == 3


def test_a_variant_added_at_the_end_moves_nothing() -> None:
    before = study_parts(run_with({"s": {"variants": {"all": {}, "narrow": NARROW}}}))
    more = {"all": {}, "narrow": NARROW, "few": {"scenes": 4}}
    after = study_parts(run_with({"s": {"variants": more}}))
    assert after[0][:2] == before[0] and after[1].items() >= before[1].items()


def test_repeats_have_seeds_of_their_own_and_the_first_is_the_runs() -> None:
    parts, trainings = study_parts(run_with({"s": {"repeats": 3, "variants": {"all": {}}}}))
    assert [part.weights["detector"] for part in parts] == [OWN_WEIGHTS, "studies/s/all/1", "studies/s/all/2"]
    assert len({5, *(training.seed for training in trainings.values())}) == 3


def test_cells_that_are_left_out_are_neither_heard_nor_validated_on() -> None:
    settings = run_with({"s": {"variants": {"all": {}, "without": {"without_cells": ["d"]}}}})
    assert validation_cells(settings) == ["d"]
    as_if = variant_settings(settings, "s", "without")
    assert as_if.simulation.cells.train == ["a", "b"] and validation_cells(as_if) == ["b"]
    _, trainings = study_parts(settings)
    for training in trainings.values():
        assert {shard.cell for shard in training.entries} == {"a", "b"}
        assert training.allowed_cells == ("a", "b") and training.validation_cells == ("b",)
    named = run_with(
        {"s": {"variants": {"without": {"without_cells": ["b"]}}}}, simsort={"validation_cells": ["b", "d"]}
    )
    assert validation_cells(variant_settings(named, "s", "without")) == ["d"]


def test_recordings_are_the_sorted_tetrodes_unless_named() -> None:
    settings = run_with({"s": {"variants": {"all": {}}}, "t": {"recordings": ["grid"], "variants": {"all": {}}}})
    assert tetrodes(settings) == ["one", "two"]
    # neither a study nor SimSort's margin is over cells that its training may have heard, whatever is sorted
    assert tetrodes(run_with({}, sorting={"recordings": ["grid", "two", "heard"]})) == ["two"]
    parts, _ = study_parts(settings)
    assert [part.recordings for part in parts] == [("one", "two"), ("grid",)]
    with pytest.raises(ConfigError, match=r"simsort_studies\.s has no recording to sort"):
        study_parts(run_with({"s": {"variants": {"all": {}}}}, recordings={}))


def test_a_run_without_studies_needs_nothing_to_train_on() -> None:
    settings = run_with({})
    assert study_parts(settings) == ([], {}) and tuned_recordings(settings) == []


def test_tuning_leaves_a_rest_to_score_on() -> None:
    tuned = {"labelled_s": [0.0, 15.0], "recordings": ["two"]}
    assert tuned_recordings(run_with({}, simsort_tuning=tuned)) == ["two"]
    with pytest.raises(ConfigError, match=r"leaves 4 s of recordings\.two"):
        tuned_recordings(run_with({}, simsort_tuning={**tuned, "labelled_s": [16.0]}))


def test_dense_probes_are_not_tuned_on() -> None:
    with pytest.raises(ConfigError, match="names grid, of 32 channels"):
        tuned_recordings(run_with({}, simsort_tuning={"labelled_s": [0.0, 5.0], "recordings": ["grid"]}))


def test_planning_imports_neither_torch_nor_spikeinterface() -> None:
    code = (
        "import sys, spikeline.sorting.simsort.studies.plan, spikeline.sorting.simsort.studies.steps; "
        "assert not {'torch', 'spikeinterface', 'lightning'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
