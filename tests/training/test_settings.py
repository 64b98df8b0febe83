"""Settings of a training and the learning rate they give."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from spikeline.config.training import TrainingSettings
from spikeline.training import learning_rate_share


def test_plain_round_trip() -> None:
    settings = TrainingSettings(steps=100)
    assert TrainingSettings.parse(settings.plain()) == settings


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 0}, "greater than or equal to 1"),
        ({"steps": "many"}, "valid integer"),
        ({"warm_up_steps": 100}, "leaves nothing of steps = 100"),
        ({"learning_rate": 0.0}, "greater than 0"),
        ({"learning_rate": math.inf}, "less than or equal"),
        ({"gradient_clip": 0.0}, "greater than 0"),
        ({"keep": "best"}, "name a metric"),
        ({"best_metric": "loss"}, "none with keep: last"),
        ({"schedule": "cosine"}, "half_cosine"),
        ({"precision": "64"}, "32-true"),
        ({"epochs": 3}, "not permitted"),
    ],
)
def test_what_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        TrainingSettings.model_validate({"steps": 100, **change})


def test_half_cosine_is_torchs() -> None:
    settings = TrainingSettings(steps=50)
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=50)
    for step in range(50):
        assert learning_rate_share(step, settings) == pytest.approx(schedule.get_last_lr()[0], abs=1e-12)
        optimiser.step()
        schedule.step()


@given(st.integers(2, 500), st.data())
def test_it_rises_then_falls(steps: int, data: st.DataObject) -> None:
    warm_up = data.draw(st.integers(0, steps - 1))
    settings = TrainingSettings(steps=steps, warm_up_steps=warm_up)
    shares = [learning_rate_share(step, settings) for step in range(steps + 1)]
    assert shares[: warm_up + 1] == sorted(shares[: warm_up + 1])
    assert shares[warm_up:] == sorted(shares[warm_up:], reverse=True)
    assert shares[warm_up] == 1 and min(shares[:-1]) > 0 and shares[-1] == pytest.approx(0, abs=1e-12)


def test_constant() -> None:
    settings = TrainingSettings(steps=10, warm_up_steps=4, schedule="constant")
    assert [learning_rate_share(step, settings) for step in range(10)] == [0.25, 0.5, 0.75, *[1.0] * 7]
