"""The detector's loss counts every sample that saw no padding and is not left open, and no other."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from spikeline.sorting.simsort.detector import GROUP, Detector
from spikeline.sorting.simsort.detector_training import DetectorTraining


def test_the_loss_is_the_mean_cross_entropy_inside_the_margins() -> None:
    torch.manual_seed(0)
    detector = Detector(width=4, dilations=(1, 2)).double()
    traces = torch.randn(3, GROUP, 64, dtype=torch.double)
    labels = (torch.rand(3, 64) < 0.2).double()
    counted = (torch.rand(3, 64) < 0.8).double()
    training = DetectorTraining(detector)
    batch = {"traces": traces, "labels": labels, "counted": counted}
    loss = training.training_step(batch, 0)["loss"]
    probability = 1 / (1 + np.exp(-detector(traces).detach().numpy()))
    terms = [
        -np.log(probability[window, at] if labels[window, at] else 1 - probability[window, at])
        for window in range(3)
        for at in range(detector.margin, 64 - detector.margin)
        if counted[window, at]
    ]
    assert loss.item() == pytest.approx(np.mean(terms), rel=1e-9)
    assert training.validation_step(batch, 0)["loss"].item() == loss.item()
    nothing = {**batch, "counted": torch.zeros_like(counted)}
    assert training.training_step(nothing, 0)["loss"].item() == 0
