"""What the detector is trained on: one binary cross-entropy per sample."""

from __future__ import annotations

from typing import Any

import torch
from lightning.pytorch import LightningModule

from spikeline.sorting.simsort.detector import Detector

__all__ = ["DetectorTraining"]


class DetectorTraining(LightningModule):
    """Training of a `Detector`.

    Samples next to a peak count as peak too (`detection_batches.spike_labels`). Classes are not weighted against their
    frequency, unlike in SimSort: a weight would make the output something else than a probability.

    Parameters
    ----------
    detector
        The network.
    """

    def __init__(self, detector: Detector) -> None:
        super().__init__()
        self.detector = detector

    def training_step(self, batch: Any, index: int) -> dict[str, torch.Tensor]:
        """Loss of one batch; windows' edges, where the network saw padding, do not count."""
        margin = self.detector.margin
        logits = self.detector(batch["traces"])[:, margin:-margin]
        labels, counted = batch["labels"][:, margin:-margin], batch["counted"][:, margin:-margin]
        losses = torch.nn.functional.binary_cross_entropy_with_logits(logits, labels, reduction="none")
        return {"loss": (losses * counted).sum() / counted.sum().clamp(min=1)}

    def validation_step(self, batch: Any, index: int) -> dict[str, torch.Tensor]:
        """The same on held-out cells."""
        return {"loss": self.training_step(batch, index)["loss"]}
