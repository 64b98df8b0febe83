"""What the published networks minimise."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch.nn import functional

from spikeline.errors import DataError

__all__ = ["detection_loss", "identification_loss", "positive_weight"]


def positive_weight(n_positive: int, n_negative: int) -> float:
    """Weight of a spike's sample: the number of negative over the number of positive samples of the training set.

    Raises
    ------
    DataError
        If there are no positive or no negative samples: nothing can be learned from them.

    Notes
    -----
    Source: SimSort, released training code of the detector.
    """
    if n_positive <= 0 or n_negative <= 0:
        raise DataError(
            f"{n_positive} samples labelled as spikes and {n_negative} as none",
            "at least one of each",
            "check the labels, or train on longer recordings",
        )
    return n_negative / n_positive


def detection_loss(
    logits: Float[torch.Tensor, "batch samples"], labels: Float[torch.Tensor, "batch samples"], weight: float
) -> Float[torch.Tensor, ""]:
    """Binary cross-entropy per sample, averaged; a positive sample counts ``weight`` times (`positive_weight`).

    Notes
    -----
    Source: SimSort, released training code of the detector.
    """
    return functional.binary_cross_entropy_with_logits(logits, labels, pos_weight=logits.new_tensor(weight))


def identification_loss(
    anchor: Float[torch.Tensor, "batch embedding"],
    positive: Float[torch.Tensor, "batch embedding"],
    negative: Float[torch.Tensor, "batch embedding"],
) -> Float[torch.Tensor, ""]:
    """Triplet margin loss, margin 1, Euclidean distance, averaged over the batch.

    Parameters
    ----------
    anchor, positive
        Embeddings of two spikes of one unit.
    negative
        Embeddings of a spike of another unit, drawn uniformly from any trial, not mined.

    Notes
    -----
    Source: SimSort, released training code of the identifier.
    """
    return functional.triplet_margin_loss(anchor, positive, negative, margin=1.0, p=2.0)
