"""Where batches come from: a pure function of the step, so that a training can go on at any step."""

from __future__ import annotations

import random
from typing import Any, Protocol

import numpy as np
import torch

from spikeline.errors import DataError

__all__ = ["Batch", "Batches", "as_tensors", "check_batches"]


class Batches(Protocol):
    """A source of batches."""

    def batch(self, step: int) -> Any:
        """The batch of one step: dictionaries, tuples or lists of tensors or numpy arrays.

        The same step gives the same batch, whatever was asked for before and from whichever thread: random numbers
        come from `spikeline.artifacts.seed_stream` with the step in the shard's name, never from a global generator.
        """


class Batch(dict):
    """A batch with names; a name it does not have is an error that says which it has."""

    def __missing__(self, name: str) -> Any:
        raise DataError(
            f"the model asked its batch for {name!r}",
            f"one of {', '.join(map(repr, self))}",
            "let the batches hold it, or train a model that fits these batches",
        )


def as_tensors(batch: Any, step: int) -> Any:
    """A batch with its numpy arrays as tensors on the same memory and its dictionaries as `Batch`.

    Raises
    ------
    DataError
        If something in it is neither.
    """
    if isinstance(batch, torch.Tensor):
        return batch
    if isinstance(batch, np.ndarray) and batch.dtype.kind in "fiub":
        return torch.from_numpy(batch)
    if isinstance(batch, dict):
        return Batch((name, as_tensors(part, step)) for name, part in batch.items())
    if isinstance(batch, (tuple, list)):
        return type(batch)(as_tensors(part, step) for part in batch)
    kind = f"an array of {batch.dtype}" if isinstance(batch, np.ndarray) else f"a {type(batch).__name__}"
    raise DataError(
        f"the batch of step {step} holds {kind}",
        "tensors or numpy arrays of numbers, in dictionaries, tuples or lists",
        "convert it where the batch is made",
    )


def _leaves(batch: Any) -> list[torch.Tensor]:
    if isinstance(batch, torch.Tensor):
        return [batch]
    parts = batch.values() if isinstance(batch, dict) else batch
    return [leaf for part in parts for leaf in _leaves(part)]


def _same(first: Any, second: Any) -> bool:
    one, other = _leaves(first), _leaves(second)
    if len(one) != len(other):
        return False
    return all(
        a.dtype == b.dtype and a.shape == b.shape and torch.allclose(a, b, rtol=0, atol=0, equal_nan=True)
        for a, b in zip(one, other, strict=True)
    )


def _global_generators() -> tuple[Any, Any, bytes]:
    state = np.random.get_state(legacy=False)  # noqa: NPY002 - whether it was used is the point
    numpy_state = (state["state"]["key"].tobytes(), state["state"]["pos"])
    return random.getstate(), numpy_state, torch.get_rng_state().numpy().tobytes()


def check_batches(batches: Batches, step: int) -> None:
    """Make one batch twice and see whether it is a pure function of its step.

    Raises
    ------
    DataError
        If the two differ, or a global random generator was used: batches are made ahead of time in other threads, and
        the results would depend on when.
    """
    before = _global_generators()
    first, second = (as_tensors(batches.batch(step), step) for _ in range(2))
    remedy = "draw from seed_stream(seed, stage, shard) with the step in the shard's name, and keep no state"
    if _global_generators() != before:
        raise DataError(
            f"{type(batches).__name__}.batch({step}) used a global random generator (of Python, numpy or torch)",
            "batches that depend on their step alone",
            remedy,
        )
    if not _same(first, second):
        raise DataError(
            f"{type(batches).__name__}.batch({step}) gave two different batches",
            "the same batch for the same step, always",
            remedy,
        )
