"""Settings of studies: merged into the training's, and refused with the full key where they cannot be."""

from __future__ import annotations

from typing import Any

import pytest

from spikeline.config.load import parse_run
from spikeline.config.run import RunSettings
from spikeline.config.studies import TuningSettings, variant_training
from spikeline.errors import ConfigError


def run_with(study: dict[str, Any] | None = None, name: str = "s", **others: Any) -> RunSettings:
    study = {"figure": "ablations", "variants": {"all": {}}, **(study or {})}
    cells = {"train": ["a", "b"], "test": ["c"]}
    return parse_run({"run": "x", "simulation": {"cells": cells}, "simsort_studies": {name: study}, **others})


def test_a_variant_is_the_run_then_the_study_then_itself() -> None:
    settings = run_with(
        {
            "training": {"detector": {"training": {"steps": 60, "log_every_steps": 7}}},
            "variants": {"all": {}, "long": {"training": {"detector": {"training": {"steps": 70}}}}},
        },
        simsort={"bank_s": 5.0, "detector": {"training": {"steps": 80}, "network": {"width": 8}}},
    )
    study = settings.simsort_studies["s"]
    every, long = (variant_training(settings.simsort, study, name) for name in ("all", "long"))
    assert (every.detector.training.steps, long.detector.training.steps) == (60, 70)
    assert every.detector.training.log_every_steps == long.detector.training.log_every_steps == 7
    assert every.detector.network.width == 8 and every.bank_s == 5.0
    assert every.identifier == long.identifier == settings.simsort.identifier


def test_a_list_is_replaced_and_not_merged() -> None:
    settings = run_with({"variants": {"all": {"training": {"detector": {"scenes": {"stretch": [1.0, 1.0]}}}}}})
    training = variant_training(settings.simsort, settings.simsort_studies["s"], "all")
    assert training.detector.scenes.stretch == (1.0, 1.0)
    assert training.identifier.scenes.stretch == settings.simsort.identifier.scenes.stretch


@pytest.mark.parametrize(
    ("study", "words"),
    [
        (
            {"variants": {"v": {"training": {"detector": {"scens": {}}}}}},
            ["simsort_studies.s.variants.v.training.detector.scens", "nearest key is scenes"],
        ),
        (
            {"training": {"identifier": {"network": {"width": -3}}}},
            ["simsort_studies.s.training.identifier.network.width = -3", "at least 1"],
        ),
        (
            {"variants": {"v": {"training": {"detector": {"network": {"taps": 4}}}}}},
            ["simsort_studies.s.variants.v.training.detector.network", "take 5"],
        ),
        ({"variants": {"v": {"without_cells": ["c"]}}}, ["s.variants.v.without_cells names c", "train has a, b"]),
        ({"variants": {"v": {"without_cells": ["a", "b"]}}}, ["s.variants.v.without_cells holds all"]),
        ({"variants": {"a b": {}}}, ["simsort_studies.s", "'a b' becomes part of a path"]),
        ({"recordings": ["none"]}, ["simsort_studies.s.recordings names none"]),
        ({"variants": {}}, ["simsort_studies.s.variants"]),
        ({"figure": "picture"}, ["simsort_studies.s.figure", "training_data, held_out_classes, ablations"]),
        ({"variants": {"v": {"scenes": 0}}}, ["simsort_studies.s.variants.v.scenes", "at least 1"]),
    ],
)
def test_what_cannot_be_is_refused_with_its_key(study: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        run_with(study)
    assert all(word in caught.value.seen for word in words), caught.value.seen


def test_a_mistake_in_the_study_is_told_once_and_not_for_every_variant() -> None:
    with pytest.raises(ConfigError) as caught:
        run_with({"training": {"bank": 1}, "variants": {"one": {}, "two": {}}})
    assert caught.value.seen.count("simsort_studies.s.training.bank") == 1


@pytest.mark.parametrize("labelled_s", [[-1.0], [5.0, 5.0]])
def test_labelled_seconds_are_seconds_each_once(labelled_s: list[float]) -> None:
    with pytest.raises(ConfigError, match="labelled_s"):
        run_with(simsort_tuning={"labelled_s": labelled_s})


def test_tuning_is_gentler_than_the_training() -> None:
    settings, tuning = run_with(), TuningSettings()
    assert tuning.labelled_s == []
    for network in ("detector", "identifier"):
        own, of_training = getattr(tuning, network), getattr(settings.simsort, network).training
        assert own.learning_rate <= of_training.learning_rate / 10 and own.steps < of_training.steps / 10
    with pytest.raises(ConfigError, match=r"simsort_tuning\.recordings names other"):
        run_with(simsort_tuning={"recordings": ["other"]})
