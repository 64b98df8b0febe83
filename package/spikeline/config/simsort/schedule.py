"""How the networks are trained: what both of a preset have in common. `TrainingSettings` describes the keys."""

from __future__ import annotations

from typing import Literal

from spikeline.config.base import FiniteFloat, other_default
from spikeline.config.training import TrainingSettings

__all__ = ["PaperScheduleSettings", "ScheduleSettings"]


class ScheduleSettings(TrainingSettings):
    """How either network of the default preset is trained."""

    warm_up_steps: int = other_default(TrainingSettings, "warm_up_steps", 50)
    log_every_steps: int = other_default(TrainingSettings, "log_every_steps", 50)


class PaperScheduleSettings(TrainingSettings):
    """How either published network is trained."""

    optimiser: Literal["adamw", "adam"] = other_default(TrainingSettings, "optimiser", "adam")
    gradient_clip: FiniteFloat | None = other_default(TrainingSettings, "gradient_clip", None)
