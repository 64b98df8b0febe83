"""The learning rate of every step, as a share of its highest value."""

from __future__ import annotations

import math

from spikeline.config.training import TrainingSettings

__all__ = ["learning_rate_share"]


def learning_rate_share(step: int, settings: TrainingSettings) -> float:
    """Learning rate of one step over the highest one.

    Linear warm-up, (s + 1) / w, then half a cosine, (1 + cos(pi (s - w) / (n - w))) / 2, or constant.

    Parameters
    ----------
    step
        s, counted from 0.
    settings
        w = ``warm_up_steps``, n = ``steps``, and the schedule.
    """
    if step < settings.warm_up_steps:
        return (step + 1) / settings.warm_up_steps
    if settings.schedule == "constant":
        return 1.0
    done = min(1.0, (step - settings.warm_up_steps) / (settings.steps - settings.warm_up_steps))
    return 0.5 * (1.0 + math.cos(math.pi * done))
