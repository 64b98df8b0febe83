"""Settings of training scenes that nothing can be drawn from are refused before anything is drawn."""

from __future__ import annotations

from typing import Any

import pytest

from spikeline.config.load import parse_run
from spikeline.config.simsort import IdentifierSceneSettings, SceneSettings
from spikeline.errors import ConfigError


def scenes_of(network: str, **scenes: Any) -> SceneSettings:
    cells = {"train": ["a", "b"], "test": ["c"]}
    run = parse_run({"run": "x", "simulation": {"cells": cells}, "simsort": {network: {"scenes": scenes}}})
    return getattr(run.simsort, network).scenes


@pytest.mark.parametrize("network", ["detector", "identifier"])
@pytest.mark.parametrize(
    ("scenes", "words"),
    [
        ({"distance_um": [10, 15]}, ["scenes.distance_um", "10 and 15", "10 um between them", "upper one to 20"]),
        ({"distance_um": [-5, 40]}, ["scenes.distance_um", "-5", "from 0 on"]),
        ({"noise_uv": [0, 5]}, ["scenes.noise_uv", "the lower bound is 0", "log-uniformly; raise it"]),
        ({"noise_uv": [4, 2000]}, ["scenes.noise_uv", "the upper bound is 2000", "at most 1000"]),
        ({"rate_hz": [0, 5]}, ["scenes.rate_hz", "the lower bound is 0", "raise it"]),
        ({"stretch": [0, 1.5]}, ["scenes.stretch", "the lower bound is 0", "raise it"]),
        ({"band_hz": [300, 8000]}, ["scenes", "band_hz = [300, 8000]", "sampling_rate_hz = 10000", "5000"]),
        ({"band_hz": [0, 3000]}, ["scenes", "band_hz = [0, 3000]", "above 0"]),
        ({"band_hz": [300, 300]}, ["scenes", "two different frequencies"]),
    ],
)
def test_refused_by_name(network: str, scenes: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        scenes_of(network, **scenes)
    assert all(word in caught.value.seen for word in [f"simsort.{network}", *words]), caught.value.seen


def test_what_is_just_possible_is_accepted() -> None:
    narrow = {"distance_um": [0, 10], "noise_uv": [0.1, 1000], "rate_hz": [5, 5], "stretch": [1, 1]}
    fast = {"band_hz": [300, 8000], "sampling_rate_hz": 20_000.0}
    assert IdentifierSceneSettings.parse({**narrow, **fast}).distance_um == (0, 10)
