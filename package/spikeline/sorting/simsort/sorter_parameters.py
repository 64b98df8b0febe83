"""What `run_sorter("simsort", ...)` can be told: the settings, and what a single run adds to them.

Apart from the sorter itself, so that a plan can check parameters without importing SpikeInterface.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from spikeline.config.problems import describe_problems
from spikeline.config.simsort import SimSortSettings
from spikeline.errors import ConfigError

__all__ = ["SORTER_NAME", "default_parameters", "parameter_descriptions", "settings_of"]

SORTER_NAME = "simsort"

_OF_A_RUN: dict[str, tuple[Any, str]] = {
    "weights": (
        None,
        "Folder with detector.safetensors, identifier.safetensors and their cards; none: those that come along.",
    ),
    "device": ("auto", "Where the networks run: cpu, cuda, or auto: on a GPU if there is one."),
    "seed": (0, "Seed of all random draws."),
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


def settings_of(parameters: Mapping[str, Any]) -> SimSortSettings:
    """The settings among the parameters; those left out have their defaults.

    Parameters
    ----------
    parameters
        Plain values. Those of a run, such as ``seed``, are not looked at.

    Raises
    ------
    ConfigError
        If a setting is unknown or out of its bounds.
    """
    values = {name: value for name, value in parameters.items() if name not in _OF_A_RUN}
    try:
        return SimSortSettings.model_validate_json(json.dumps(values))
    except ValidationError as error:
        problems = describe_problems(error, SimSortSettings, {})
    except (TypeError, ValueError) as error:
        problems = [f"a parameter has no plain form ({error})"]
    raise ConfigError(
        f"parameters of simsort: {'; '.join(problems)}",
        "the parameters that get_default_sorter_params('simsort') lists",
        "correct them, or leave them out to have the defaults",
    )
