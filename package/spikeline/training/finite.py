"""No checkpoint of weights that are no numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from spikeline.errors import NumericalError

__all__ = ["check_weights"]


def check_weights(weights: Mapping[str, Any], step: int) -> None:
    """See whether all weights are finite: a gradient can overflow while the loss it came from is still a number.

    Raises
    ------
    NumericalError
        If one is not.
    """
    for name, part in weights.items():
        if isinstance(part, torch.Tensor) and part.is_floating_point() and not torch.isfinite(part).all():
            raise NumericalError(
                f"{name} is not finite after step {step}",
                "finite weights",
                "lower learning_rate, lengthen warm_up_steps or set gradient_clip; the checkpoint before is kept",
            )
