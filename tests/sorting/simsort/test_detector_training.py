"""The detector's loss counts every sample that saw no padding, and no other."""

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
    training = DetectorTraining(detector)
    loss = training.training_step({"traces": traces, "labels": labels}, 0)["loss"]
    probability = 1 / (1 + np.exp(-detector(traces).detach().numpy()))
    terms = [
        -np.log(probability[window, at] if labels[window, at] else 1 - probability[window, at])
        for window in range(3)
        for at in range(detector.margin, 64 - detector.margin)
    ]
    assert loss.item() == pytest.approx(np.mean(terms), rel=1e-9)
    assert training.validation_step({"traces": traces, "labels": labels}, 0)["loss"].item() == loss.item()
