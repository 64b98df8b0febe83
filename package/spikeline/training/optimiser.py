"""The optimiser and its schedule, for every module that does not bring its own."""

from __future__ import annotations

import functools
from typing import Any

import torch
from lightning.pytorch import LightningModule

from spikeline.config.training import TrainingSettings
from spikeline.errors import ConfigError
from spikeline.training.learning_rate import learning_rate_share

__all__ = ["brings_its_own", "make_optimiser"]


def brings_its_own(module: LightningModule) -> bool:
    """Whether the module defines ``configure_optimizers`` itself; it is then used as it is."""
    return type(module).configure_optimizers is not LightningModule.configure_optimizers


def make_optimiser(module: LightningModule, settings: TrainingSettings) -> dict[str, Any]:
    """What Lightning's ``configure_optimizers`` returns: Adam or AdamW over the trainable weights, stepwise schedule.

    Raises
    ------
    ConfigError
        If no weight is trainable.
    """
    weights = [weight for weight in module.parameters() if weight.requires_grad]
    if not weights:
        raise ConfigError(
            f"{type(module).__name__} has no trainable weights",
            "at least one parameter with requires_grad",
            "do not freeze the whole model",
        )
    kind = torch.optim.AdamW if settings.optimiser == "adamw" else torch.optim.Adam
    optimiser = kind(weights, lr=settings.learning_rate, weight_decay=settings.weight_decay)
    share = functools.partial(learning_rate_share, settings=settings)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, share)
    return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
