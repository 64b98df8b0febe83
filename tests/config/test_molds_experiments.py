"""What MoLDS' experiments refuse, and by which name."""

from __future__ import annotations

from typing import Any

import pytest

from spikeline.config.load import parse_run
from spikeline.config.molds import ExperimentSettings, MixtureSettings
from spikeline.errors import ConfigError

CELLS = {"source": "ball_and_stick", "train": [], "test": ["ball_and_stick_1"]}
SOUND: dict[str, Any] = {"figure": "molds_smd_rtpm", "trajectories": [100], "steps": [60]}


def parsed(**changed: Any):
    run = {"run": "r", "simulation": {"cells": CELLS}, "molds": {"experiments": {"mine": {**SOUND, **changed}}}}
    return parse_run(run).molds.experiments["mine"]


def test_the_smallest_experiment_has_the_simple_preset() -> None:
    experiment = parsed()
    assert (experiment.mixture.size("n_components"), experiment.mixture.size("feedthrough")) == (3, True)
    assert experiment.lags_of(2) == 6 and experiment.uses_moments and experiment.em_starts == []
    assert parsed(methods=["random_best", "truth_em", "random"]).em_starts == ["random", "truth"]
    assert parsed(fit={"moments": {"lags": 9}}).lags_of(2) == 9


def test_a_run_without_a_block_has_no_experiment() -> None:
    assert parse_run({"run": "r", "simulation": {"cells": CELLS}}).molds.experiments == {}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"figure": "molds"}, ["experiments.mine.figure", "molds_complex"]),
        ({"trajectories": []}, ["mine.trajectories", "at least 1"]),
        ({"steps": [60, 60]}, ["steps = [60, 60]", "each once"]),
        ({"trajectories": [0]}, ["trajectories = [0]", "above 0"]),
        ({"methods": ["tensor", "tensor"]}, ["methods", "each once"]),
        ({"methods": ["tensr"]}, ["experiments.mine.methods", "tensr", "tensor_em"]),
        ({"estimators": []}, ["one of estimators and one of decompositions"]),
        ({"estimators": ["stein"], "mixture": {"preset": "complex"}}, ["stein need one output", "mixture has 2"]),
        ({"steps": [17]}, ["steps has [17]", "at least 18 steps", "fit.moments.lags"]),
        ({"fit": {"moments": {"lags": 4}}}, ["fit.moments.lags = 4", "2 states need at least 5"]),
        ({"fit": {"start": {"method": "random"}}}, ["fit.start.method has no effect", "methods says which"]),
        ({"fit": {"em": {"feedthrough": False}}}, ["fit.em.feedthrough has no effect", "mixture says"]),
        ({"mixture": {"weights": [0.5, 0.5]}}, ["weights has 2 numbers", "3 components"]),
        ({"mixture": {"weights": [0.5, 0.25, 0.5]}}, ["of sum 1"]),
        ({"mixture": {"weights": [0.5, 0.25, 0.25]}, "n_components": [2, 3]}, ["n_components lists several"]),
        ({"mixture": {"n_inputs": 0}}, ["mixture.n_inputs", "at least 1"]),
        ({"sedes": 3}, ["sedes", "nearest key is seeds"]),
    ],
)  # fmt: skip
def test_what_cannot_be_is_named(changed: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(ConfigError) as error:
        parsed(**changed)
    assert all(word in str(error.value) for word in words), str(error.value)


def test_a_name_that_is_no_part_of_a_path_is_refused() -> None:
    with pytest.raises(ConfigError, match="'a/b' becomes part of a path"):
        parse_run({"run": "r", "simulation": {"cells": CELLS}, "molds": {"experiments": {"a/b": SOUND}}})


def test_without_the_tensor_stage_short_trajectories_do() -> None:
    assert ExperimentSettings(**SOUND | {"steps": [9], "methods": ["random", "trajectory_ols"]}).steps == [9]


@pytest.mark.parametrize(("preset", "fewest"), [("simple", 18), ("complex", 22)])
def test_as_few_steps_as_moments_need(preset: str, fewest: int) -> None:
    """Without a feedthrough, windows begin one step later and have a lag less."""
    shape = {"mixture": {"preset": preset}}
    assert ExperimentSettings.parse(SOUND | shape | {"steps": [fewest]}).steps == [fewest]
    with pytest.raises(ValueError, match=f"need at least {fewest} steps"):
        ExperimentSettings.parse(SOUND | shape | {"steps": [fewest - 1]})


def test_weights_are_equal_where_the_preset_has_none_of_that_number() -> None:
    settings = MixtureSettings(preset="simple")
    assert settings.weights_of(3) == [0.25, 0.35, 0.4] and settings.weights_of(4) == [0.25] * 4
