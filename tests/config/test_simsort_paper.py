"""Settings of the preset paper: the published numbers, and what does not go together."""

from __future__ import annotations

from typing import Any

import pytest

from spikeline.config.load import parse_run
from spikeline.config.simsort import PaperSortingSettings, SimSortTrainingSettings
from spikeline.errors import ConfigError


def run_with(**paper: Any) -> Any:
    cells = {"train": ["a", "b"], "test": ["c"]}
    return parse_run({"run": "x", "simulation": {"cells": cells}, "simsort": {"paper": paper}})


def test_the_defaults_are_the_published_ones() -> None:
    paper = SimSortTrainingSettings().paper
    detector, identifier = paper.detector, paper.identifier
    assert detector.network.plain() == {"n_layers": 4, "dropout": 0.2, "width": 256, "n_heads": 4, "feedforward": 1024}
    assert (detector.batches.windows, detector.batches.samples) == (32, 2000)
    assert (detector.training.learning_rate, detector.training.warm_up_steps) == (5e-4, 4000)
    assert (identifier.network.hidden, identifier.batches.triplets, identifier.svd) == (512, 256, "batch")
    assert (identifier.training.learning_rate, identifier.training.schedule) == (1e-3, "constant")
    for training in (detector.training, identifier.training):
        assert (training.optimiser, training.weight_decay, training.gradient_clip) == ("adam", 1e-5, None)
    assert detector.scenes.labels == "edges" and detector.scenes.trials == 8192
    sorting = PaperSortingSettings()
    assert (sorting.threshold, sorting.chunk_samples, sorting.tail, sorting.bandwidth_quantile) == (
        0.97,
        3_000_000,
        "drop",
        0.12,
    )
    assert (sorting.svd, sorting.low_pass, sorting.resample_hz) == ("batch", False, None)


def test_a_key_that_is_set_leaves_the_default_preset_alone() -> None:
    settings = run_with(detector={"training": {"steps": 5000}}).simsort
    assert settings.paper.detector.training.optimiser == "adam" and settings.paper.detector.training.steps == 5000
    assert settings.detector == SimSortTrainingSettings().detector


@pytest.mark.parametrize(
    ("paper", "words"),
    [
        ({"detector": {"scenes": {"band_hz": [300, 4500]}}}, ["paper.detector.scenes.band_hz", "one kind of traces"]),
        ({"detector": {"network": {"width": 30}}}, ["simsort.paper.detector.network", "width = 30"]),
        ({"detector": {"batches": {"windows": 12}}}, ["no multiple of scenes_per_batch = 8"]),
        ({"detector": {"batches": {"samples": 8000}}}, ["samples = 8000"]),
        ({"detector": {"scenes": {"duration_s": 1.0, "sampling_rate_hz": 5000.0}}}, ["sampling_rate_hz"]),
        ({"detector": {"scenes": {"sampling_rate_hz": 5000.0, "duration_s": 1.0}, "batches": {"samples": 5500}}},
         ["batches.samples = 5500", "a trial has 5000 samples"]),
        ({"detector": {"training": {"steps": 4000}}}, ["leaves nothing"]),
        ({"identifier": {"svd": "batches"}}, ["did you mean batch"]),
        ({"identifier": {"batches": {"triplets": 4}}}, ["triplets = 4", "at least 8"]),
        ({"identifier": {"scenes": {"labels": "edge"}}}, ["did you mean edges"]),
    ],
)  # fmt: skip
def test_what_does_not_go_together(paper: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        run_with(**paper)
    assert all(word in caught.value.seen for word in words), caught.value.seen
