"""Scenes are made where the network is trained, unless they are told to be made elsewhere."""

from __future__ import annotations

import pytest
import torch

from spikeline.errors import ConfigError
from spikeline.sorting.simsort.scene_device import scene_device

GPU = torch.device("cuda")


@pytest.mark.parametrize(
    ("scenes", "training", "there", "expected"),
    [
        ("auto", "auto", False, None),
        ("auto", "auto", True, GPU),
        ("auto", "cpu", True, None),
        ("auto", "gpu", True, GPU),
        ("cpu", "auto", True, None),
        ("cpu", "gpu", True, None),
        ("gpu", "auto", True, GPU),
    ],
)
def test_where(
    scenes: str, training: str, there: bool, expected: torch.device | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    assert scene_device(scenes, training) == expected


@pytest.mark.parametrize(
    ("scenes", "training", "words"), [("gpu", "auto", "scenes.accelerator"), ("auto", "gpu", "training.accelerator")]
)
def test_a_gpu_that_is_not_there_is_refused(
    scenes: str, training: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match=f"{words} = gpu, and torch sees none"):
        scene_device(scenes, training)
