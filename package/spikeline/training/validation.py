"""Validation: numbers that say how good a model is, without a trace in its training."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from lightning.pytorch import LightningModule

from spikeline.errors import DataError
from spikeline.training.batches import as_tensors
from spikeline.training.random_states import seeded

__all__ = ["Validation", "validate"]

Validation = Callable[[LightningModule], Mapping[str, float]] | Sequence[Any]
"""Either a function of the module that returns its metrics, or batches for the module's ``validation_step(batch,
index)``, whose metrics are averaged over the batches."""


@contextlib.contextmanager
def _evaluating(module: torch.nn.Module) -> Iterator[None]:
    """Evaluation mode and no gradients inside; each layer's own mode afterwards."""
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for part, mode in modes:
            part.training = mode


def validate(
    module: LightningModule,
    validation: Validation,
    *,
    seed: int,
    name: str,
    to_device: Callable[[Any], Any] = lambda batch: batch,
) -> dict[str, float]:
    """Metrics of the module as it is now.

    The same random numbers are drawn every time, and none are taken from the training, so that neither how often one
    validates nor on what changes the weights.

    Parameters
    ----------
    module
        The model.
    validation
        See `Validation`.
    seed, name
        Name the random stream.
    to_device
        Moves a batch to where the module is.

    Raises
    ------
    DataError
        If there are no batches, or what comes back is no mapping of names to numbers.
    """
    with _evaluating(module), seeded(seed, "validation", name):
        if callable(validation):
            return _numbers(validation(module), "the validation function")
        rows = []
        for index, batch in enumerate(validation):
            metrics = module.validation_step(to_device(as_tensors(batch, index)), index)
            rows.append(_numbers(metrics, f"{type(module).__name__}.validation_step"))
    if not rows:
        raise DataError("validation is an empty list", "at least one batch", "pass None to train without validation")
    if any(row.keys() != rows[0].keys() for row in rows):
        raise DataError(
            "validation_step returned different names for different batches",
            f"always {', '.join(rows[0])}",
            "return NaN for a metric that a batch does not define",
        )
    return {metric: sum(row[metric] for row in rows) / len(rows) for metric in rows[0]}


def _numbers(metrics: Any, source: str) -> dict[str, float]:
    try:
        numbers = {str(metric): float(value) for metric, value in metrics.items()}
    except (AttributeError, TypeError, ValueError, RuntimeError):
        numbers = {}
    if not numbers:
        raise DataError(
            f"{source} returned {metrics!r:.200}",
            "a mapping of metric names to numbers",
            'return them, e.g. {"loss": loss}; what is logged by other means is not seen',
        )
    return numbers
