"""The losses since the last row of the log: kept where they were computed, looked at now and then."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch

from spikeline.errors import DataError, NumericalError

__all__ = ["Losses"]


class Losses:
    """Collects what ``training_step`` returns.

    Reading a number off a GPU makes the processor wait for it, so numbers are fetched many steps at a time; still the
    first step whose loss is not finite is named exactly.
    """

    def __init__(self) -> None:
        self._fresh: list[tuple[int, dict[str, torch.Tensor]]] = []
        self._window: list[dict[str, float]] = []

    def add(self, step: int, outputs: Any) -> None:
        """What the step returned: a loss, or a mapping with ``loss`` and further numbers.

        Raises
        ------
        DataError
            If there is no loss.
        """
        parts = outputs if isinstance(outputs, Mapping) else {"loss": outputs}
        if not isinstance(parts.get("loss"), torch.Tensor):
            raise DataError(
                f"training_step returned no loss at step {step}, but {', '.join(map(str, parts)) or 'nothing'}",
                "the loss, or a mapping with the loss under 'loss' and other numbers to log",
                "return the loss of every batch",
            )
        self._fresh.append((step, {name: torch.as_tensor(part).detach() for name, part in parts.items()}))

    def check(self) -> None:
        """Fetch what is new.

        Raises
        ------
        NumericalError
            If a loss is not finite.
        """
        fresh, self._fresh = self._fresh, []
        for step, row in _fetched(fresh):
            if not math.isfinite(row["loss"]):
                raise NumericalError(
                    f"the loss is {row['loss']} at step {step}",
                    "a finite loss",
                    "look at the batch of this step, lower learning_rate, lengthen warm_up_steps or set gradient_clip; "
                    "the checkpoint before this step is kept",
                )
            self._window.append(row)

    def take(self) -> dict[str, float]:
        """Means over the steps since this was called last; `check` comes first."""
        window, self._window = self._window, []
        return {name: sum(row[name] for row in window) / len(window) for name in window[0]}

    def state(self) -> list[dict[str, float]]:
        """What a checkpoint keeps: the steps that no row of the log covers yet."""
        return self._window

    def restore(self, state: list[dict[str, float]]) -> None:
        """Inverse of `state`."""
        self._window, self._fresh = list(state), []


def _fetched(fresh: list[tuple[int, dict[str, torch.Tensor]]]) -> list[tuple[int, dict[str, float]]]:
    if not fresh:
        return []
    names = list(fresh[0][1])
    if any(list(row) != names for _, row in fresh):
        raise DataError(
            "training_step returned different names at different steps",
            f"always {', '.join(names)}",
            "return NaN for a number that a step does not define",
        )
    try:
        columns = {
            name: torch.stack([row[name] for _, row in fresh]).cpu().double().reshape(len(fresh)).tolist()
            for name in names
        }
    except RuntimeError as error:
        raise DataError(
            f"training_step returned something that is not one number ({error})",
            "scalars only",
            "return means, not arrays",
        ) from error
    return [(step, {name: columns[name][index] for name in names}) for index, (step, _) in enumerate(fresh)]
