"""The one way a model is trained: Lightning, with checkpoints that survive a kill at any moment.

Names are imported when they are asked for: whoever uses trained weights, or waits for a training that runs elsewhere,
does not wait for Lightning, whose import takes longer than torch's own.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spikeline.training.batches import Batch, Batches
    from spikeline.training.export import export_weights, load_weights
    from spikeline.training.fitting import FitResult, fit
    from spikeline.training.learning_rate import learning_rate_share
    from spikeline.training.random_states import seeded
    from spikeline.training.validation import Validation, validate

__all__ = [
    "Batch",
    "Batches",
    "FitResult",
    "Validation",
    "export_weights",
    "fit",
    "learning_rate_share",
    "load_weights",
    "seeded",
    "validate",
]

_MODULES = {
    "Batch": "batches",
    "Batches": "batches",
    "FitResult": "fitting",
    "Validation": "validation",
    "export_weights": "export",
    "fit": "fitting",
    "learning_rate_share": "learning_rate",
    "load_weights": "export",
    "seeded": "random_states",
    "validate": "validation",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
