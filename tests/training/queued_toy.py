"""The small model as a job of a queue calls it: by name and with plain values; only the job imports what it needs."""

from __future__ import annotations

import os
from pathlib import Path

from spikeline.errors import DataError

__all__ = ["fail", "forget", "train_toy"]


def train_toy(folder: str, output: str, delay_s: float) -> None:
    """Train; leaves its process's number in the folder, for whoever wants to send it a signal.

    Steps are slow once there is a checkpoint: that is what tests wait for, and then there is time to disturb it.
    """
    from spikeline.training import export_weights
    from tests.training.toy import SETTINGS, ToyBatches, toy, train

    Path(folder).mkdir(parents=True, exist_ok=True)
    (Path(folder) / "process").write_text(str(os.getpid()))
    model = toy()
    train(Path(folder), ToyBatches(delay_s, slow_from=SETTINGS["checkpoint_every_steps"]), module=model)
    export_weights(model, output, {"model": "toy"})


def fail(reason: str) -> None:
    """Fail as a training does."""
    raise DataError(reason, "another one", "try again")


def forget(output: str) -> None:
    """End well without the output."""
