"""What the published detector is trained on: one weighted binary cross-entropy per sample."""

from __future__ import annotations

from typing import Any

import torch
from lightning.pytorch import LightningModule

from spikeline.sorting.simsort.paper.detector import PaperDetector
from spikeline.sorting.simsort.paper.losses import detection_loss

__all__ = ["PaperDetectorTraining"]


class PaperDetectorTraining(LightningModule):
    """Training of a `PaperDetector`.

    Samples of a spike count as many times more as they are rarer, so the output is no probability of a spike: the
    published threshold of 0.97 makes up for it.

    Parameters
    ----------
    detector
        The network.

    Notes
    -----
    Source: SimSort, released training code of the detector.
    """

    def __init__(self, detector: PaperDetector) -> None:
        super().__init__()
        self.detector = detector

    def training_step(self, batch: Any, index: int) -> dict[str, torch.Tensor]:
        """Loss of one batch; a positive sample counts as often as the batch says."""
        weight = float(batch["positive_weight"])
        return {"loss": detection_loss(self.detector(batch["windows"]), batch["labels"], weight)}

    def validation_step(self, batch: Any, index: int) -> dict[str, torch.Tensor]:
        """The same on held-out cells."""
        return {"loss": self.training_step(batch, index)["loss"]}
