"""What `run_sorter("simsort", ...)` can be told: the settings, and what a single run adds to them.

Apart from the sorter itself, so that a plan can check parameters without importing SpikeInterface.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from spikeline.config.base import Settings
from spikeline.config.problems import describe_problems
from spikeline.config.simsort import PaperSortingSettings, SimSortSettings
from spikeline.errors import ConfigError

__all__ = [
    "DEFAULT_PRESET",
    "HOW_TO_TRAIN_THE_PAPER",
    "PAPER_PRESET",
    "SORTER_NAME",
    "default_parameters",
    "paper_settings_of",
    "parameter_descriptions",
    "preset_of",
    "settings_of",
]

_Kind = TypeVar("_Kind", bound=Settings)

SORTER_NAME = "simsort"
DEFAULT_PRESET, PAPER_PRESET = "default", "paper"

HOW_TO_TRAIN_THE_PAPER = (
    "train them: snakemake -- simsort_paper_weights, or spikeline train CONFIG detector --preset paper (and "
    "identifier), both into one folder; in a configuration, weights: trained has the run train its own"
)
"""What to do for weights of preset paper, which do not come along."""

_OF_A_RUN: dict[str, tuple[Any, str]] = {
    "preset": (
        DEFAULT_PRESET,
        "default, or paper: the published networks, inference and clustering with their defects; needs weights of its "
        "own.",
    ),
    "paper": (
        {},
        "Settings of preset paper, by name: "
        + ", ".join(f"{name} ({field.default})" for name, field in PaperSortingSettings.model_fields.items())
        + ". The other settings are the default's.",
    ),
    "weights": (
        None,
        "Folder with detector.safetensors, identifier.safetensors and their cards; none: those that come along.",
    ),
    "device": ("auto", "Where the networks run: cpu, cuda, or auto: on a GPU if there is one."),
    "seed": (0, "Seed of preset paper's random draws; the default preset makes none."),
    "progress_bar": (False, "Show how far the sorting is; verbose=True of run_sorter does so too."),
    "job_kwargs": ({}, "SpikeInterface's job keywords, of which n_jobs is the number of threads."),
}


def default_parameters() -> dict[str, Any]:
    """Default of every parameter, as plain JSON values."""
    return {**SimSortSettings().plain(), **{name: default for name, (default, _) in _OF_A_RUN.items()}}


def parameter_descriptions() -> dict[str, str]:
    """What every parameter does."""
    settings = {name: field.description or "" for name, field in SimSortSettings.model_fields.items()}
    return {**settings, **{name: text for name, (_, text) in _OF_A_RUN.items()}}


def preset_of(parameters: Mapping[str, Any]) -> str:
    """``default`` or ``paper``.

    Raises
    ------
    ConfigError
        If it is neither.
    """
    preset = parameters.get("preset", DEFAULT_PRESET)
    if preset not in (DEFAULT_PRESET, PAPER_PRESET):
        raise ConfigError(
            f"preset = {preset!r}", f"{DEFAULT_PRESET} or {PAPER_PRESET}", "choose one, or leave preset out"
        )
    return preset


def settings_of(parameters: Mapping[str, Any]) -> SimSortSettings:
    """The settings of the default among the parameters; those left out have their defaults.

    Parameters
    ----------
    parameters
        Plain values. Those of a run, such as ``seed``, are not looked at, but for what does not go with the preset.

    Raises
    ------
    ConfigError
        If a setting is unknown or out of its bounds, or belongs to the other preset; or if preset paper has no weights.
    """
    values = {name: value for name, value in parameters.items() if name not in _OF_A_RUN}
    settings = _parsed(SimSortSettings, values, "parameters of simsort")
    paper_settings_of(parameters)
    if preset_of(parameters) == PAPER_PRESET:
        _refuse_mixture(settings, parameters)
    return settings


def paper_settings_of(parameters: Mapping[str, Any]) -> PaperSortingSettings:
    """The settings of preset paper among the parameters; those left out have their defaults.

    Raises
    ------
    ConfigError
        If a setting is unknown or out of its bounds, or there are some with the default preset.
    """
    given = parameters.get("paper") or {}
    if given and preset_of(parameters) != PAPER_PRESET:
        raise ConfigError(
            "paper: settings without preset: paper",
            "settings of the preset that sorts",
            "add preset: paper, or drop paper",
        )
    return _parsed(PaperSortingSettings, given, "paper: parameters of simsort")


def _refuse_mixture(settings: SimSortSettings, parameters: Mapping[str, Any]) -> None:
    default = SimSortSettings()
    foreign = [name for name in SimSortSettings.model_fields if getattr(settings, name) != getattr(default, name)]
    if foreign:
        raise ConfigError(
            f"{', '.join(foreign)} with preset: paper",
            "settings of the published sorting: " + ", ".join(PaperSortingSettings.model_fields),
            f"leave {', '.join(foreign)} out; settings of the preset stand under paper",
        )
    if parameters.get("weights") is None:
        raise ConfigError(
            "preset: paper without weights",
            "weights of the published networks: none come along",
            HOW_TO_TRAIN_THE_PAPER,
        )


def _parsed(kind: type[_Kind], values: Any, what: str) -> _Kind:
    try:
        return kind.model_validate_json(json.dumps(values))
    except ValidationError as error:
        problems = describe_problems(error, kind, {})
    except (TypeError, ValueError) as error:
        problems = [f"a parameter has no plain form ({error})"]
    raise ConfigError(
        f"{what}: {'; '.join(problems)}",
        "the parameters that get_default_sorter_params('simsort') lists",
        "correct them, or leave them out to have the defaults",
    )
