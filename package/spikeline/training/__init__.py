"""The one way a model is trained: Lightning, with checkpoints that survive a kill at any moment."""

from spikeline.training.batches import Batch, Batches
from spikeline.training.export import export_weights, load_weights
from spikeline.training.fit import FitResult, fit
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
