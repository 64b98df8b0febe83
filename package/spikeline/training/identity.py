"""What a training is, so that it goes on from its own checkpoint and from no other's."""

from __future__ import annotations

from typing import Any

from torch import nn

from spikeline.config.training import TrainingSettings
from spikeline.errors import DataError

__all__ = ["check_identity", "identity"]

# What may change between two attempts: it decides what is seen and when, not what the weights become.
_FREE = ("log_every_steps", "checkpoint_every_steps", "accelerator", "tensorboard")


def identity(module: nn.Module, settings: TrainingSettings, name: str, seed: int, validated: bool) -> dict[str, Any]:
    """Name, seed, settings that decide the weights, and the shape and type of every weight."""
    shapes = {key: f"{tuple(part.shape)} {part.dtype}" for key, part in module.state_dict().items()}
    kept = {key: value for key, value in settings.plain().items() if key not in _FREE}
    return {"name": name, "seed": seed, "validated": validated, **kept, "weights": shapes}


def check_identity(here: dict[str, Any], checkpoint: dict[str, Any], folder: str) -> None:
    """Compare the training that is asked for with that of a checkpoint.

    Raises
    ------
    DataError
        If they differ; the first difference is named.
    """
    for key in [*here, *(key for key in checkpoint if key not in here)]:
        mine, theirs = here.get(key), checkpoint.get(key)
        if mine == theirs:
            continue
        if key == "weights":
            mine, theirs = _first_difference(mine or {}, theirs or {})
        raise DataError(
            f"{folder} holds checkpoints of another training: {key} is {theirs} there, and {mine} here",
            "checkpoints of the same model, settings and seed",
            "give each training a folder of its own (named by the hash of its settings), or delete this one",
        )


def _first_difference(mine: dict[str, str], theirs: dict[str, str]) -> tuple[str, str]:
    name = next(name for name in [*mine, *theirs] if mine.get(name) != theirs.get(name))
    return f"{name} {mine.get(name, 'missing')}", f"{name} {theirs.get(name, 'missing')}"
