"""Settings of SimSort's training: what does not go together is refused with the keys to change."""

from __future__ import annotations

from typing import Any

import pytest

from spikeline.config.load import parse_run
from spikeline.config.simsort import SimSortTrainingSettings, settings_of_job
from spikeline.errors import ConfigError


def run_with(**simsort: Any) -> Any:
    return parse_run({"run": "x", "simulation": {"cells": {"train": ["a", "b"], "test": ["c"]}}, "simsort": simsort})


def test_a_key_that_is_set_leaves_the_others_at_the_defaults_of_their_network() -> None:
    settings = run_with(detector={"training": {"steps": 100}, "scenes": {"units": [2, 3]}}).simsort
    assert settings.detector.training.learning_rate == 3e-3 and settings.detector.scenes.duration_s == 10
    assert settings.identifier == SimSortTrainingSettings().identifier
    assert settings.identifier.training.learning_rate == 1e-3 and settings.identifier.training.weight_decay == 1e-3


@pytest.mark.parametrize(
    ("simsort", "words"),
    [
        ({"validation_cells": ["c"]}, ["names c", "simulation.cells.train has a, b"]),
        ({"validation_cells": ["a", "b"]}, ["none is left to train on"]),
        ({"detector": {"scenes": {"band_hz": [300, 4500]}}}, ["detector.scenes.band_hz", "see the same traces"]),
        ({"detector": {"network": {"taps": 4}}}, ["simsort.detector.network", "take 5"]),
        ({"detector": {"network": {"dilations": [0, 1]}}}, ["from 1 on"]),
        ({"detector": {"batches": {"windows": 10}}}, ["no multiple of scenes_per_batch = 4"]),
        (
            {"detector": {"batches": {"least_template_norms": [5, 6, 7]}}},
            ["least_template_norms", "at least 4 of them"],
        ),
        ({"detector": {"batches": {"least_template_norms": [5, 6, -7, 8]}}}, ["not below 0"]),
        ({"detector": {"batches": {"samples": 15000}, "scenes": {"duration_s": 2}}}, ["the shortest scene has 13000"]),
        ({"detector": {"network": {"dilations": [64, 64]}}}, ["depends on 519"]),
        ({"identifier": {"training": {"warm_up_steps": 12000}}}, ["simsort.identifier.training", "leaves nothing"]),
        (
            {"identifier": {"scenes": {"accelerator": "gpu"}, "training": {"accelerator": "cpu"}}},
            ["simsort.identifier", "scenes.accelerator = gpu"],
        ),
        (
            {"detector": {"scenes": {"accelerator": "gpu"}, "training": {"accelerator": "cpu"}}},
            ["simsort.detector", "set scenes.accelerator to auto or cpu"],
        ),
        ({"identifier": {"scenes": {"colours": ["red"]}}}, ["a list out of white, pink, coloured"]),
        ({"identifier": {"scenes": {"phase_rad": 1}}}, ["phase_deg", "57.295"]),
    ],
)
def test_what_does_not_go_together(simsort: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        run_with(**simsort)
    assert all(word in caught.value.seen for word in words), caught.value.seen


def test_where_scenes_are_made_is_told_to_a_job_only_if_it_was_chosen() -> None:
    """A key that came later: jobs without it are those of before, and are not run again."""
    settings = run_with(detector={"scenes": {"accelerator": "gpu"}}).simsort
    assert settings_of_job(settings.detector) == settings.detector.plain()
    left = settings_of_job(settings.identifier)
    assert "accelerator" not in left["scenes"] and left["training"]["accelerator"] == "auto"
    assert type(settings.identifier).parse(left) == settings.identifier
    assert settings_of_job(settings.paper.detector) == settings.paper.detector.plain()
