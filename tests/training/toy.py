"""A small model with everything that could spoil a resumed training: dropout, momentum, a schedule, a buffer.

Run as a script it trains in a process of its own: ``python -m tests.training.toy FOLDER WEIGHTS SECONDS_PER_BATCH``.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.pytorch import LightningModule
from torch import nn

from spikeline.artifacts import seed_stream
from spikeline.config.training import TrainingSettings
from spikeline.training import FitResult, export_weights, fit, seeded

SETTINGS = {
    "steps": 60,
    "learning_rate": 1e-2,
    "warm_up_steps": 5,
    "log_every_steps": 4,
    "checkpoint_every_steps": 10,
    "validate_every_steps": 15,
    "accelerator": "cpu",
}


class Toy(LightningModule):
    """A line fitted by a network with dropout and batch normalisation."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.Dropout(0.2), nn.ReLU(), nn.Linear(16, 1))

    def training_step(self, batch: dict[str, torch.Tensor], index: int) -> dict[str, torch.Tensor]:
        difference = self.net(batch["x"]) - batch["y"]
        return {"loss": difference.square().mean(), "bias": difference.mean()}

    def validation_step(self, batch: dict[str, torch.Tensor], index: int) -> dict[str, torch.Tensor]:
        return {"error": (self.net(batch["x"]) - batch["y"]).square().mean()}


class ToyBatches:
    """Batches of the line; ``delay_s`` makes them slow, from step ``slow_from`` on."""

    def __init__(self, delay_s: float = 0.0, slow_from: int = 0) -> None:
        self.delay_s, self.slow_from = delay_s, slow_from

    def batch(self, step: int) -> dict[str, np.ndarray]:
        if step >= self.slow_from:
            time.sleep(self.delay_s)
        x = seed_stream(1, "toy batches", str(step)).normal(size=(8, 4)).astype(np.float32)
        return {"x": x, "y": x.sum(axis=1, keepdims=True)}


def toy() -> Toy:
    """With the same first weights every time."""
    with seeded(1, "toy weights"):
        return Toy()


def train(folder: Path, batches: Any = None, *, module: LightningModule | None = None, **options: Any) -> FitResult:
    """Train on one thread; ``options`` are settings, or arguments of `fit`."""
    settings = {**SETTINGS, **{key: value for key, value in options.items() if key in TrainingSettings.model_fields}}
    arguments = {key: value for key, value in options.items() if key not in TrainingSettings.model_fields}
    arguments = {"name": "toy", "seed": 1, "threads": 1, "validation": [ToyBatches().batch(10**6)], **arguments}
    model = toy() if module is None else module
    return fit(model, batches or ToyBatches(), TrainingSettings(**settings), folder, **arguments)


def weights(module: LightningModule) -> dict[str, bytes]:
    """Name -> bytes."""
    return {name: part.numpy().tobytes() for name, part in module.state_dict().items()}


if __name__ == "__main__":
    model = toy()
    train(Path(sys.argv[1]), ToyBatches(float(sys.argv[3])), module=model)
    export_weights(model, sys.argv[2], {"model": "toy"})
