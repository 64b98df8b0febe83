"""Networks with weights set by hand: a threshold and projections. Enough to sort easy units with the real pipeline."""

from __future__ import annotations

from pathlib import Path

import torch

from spikeline.sorting.simsort.detector import Detector
from spikeline.sorting.simsort.identifier import Identifier
from spikeline.sorting.simsort.snippets import SNIPPET_BEFORE, SNIPPET_SAMPLES
from spikeline.training.export import export_weights

__all__ = ["write_handmade_networks"]

_THRESHOLD = 5.0  # in standard deviations of the noise


def write_handmade_networks(folder: Path) -> Path:
    """A detector of troughs, and an identifier that gives single samples around them: in noise, independent with unit
    variance, as a trained one's points are.
    """
    detector, identifier = Detector(dilations=()), Identifier(layers=1)
    with torch.no_grad():
        for parameter in [*detector.parameters(), *identifier.parameters()]:
            parameter.zero_()
        for channel in range(4):
            detector.stem.weight[channel, channel, detector.stem.weight.shape[2] // 2] = -1.0
            detector.stem.bias[channel] = -_THRESHOLD
            detector.head.weight[0, channel] = 3.0
        detector.head.bias[0] = -3.0
        for dimension in range(identifier.linear.out_features):
            channel, around = dimension % 4, dimension // 4 - 1
            identifier.linear.weight[dimension, channel * SNIPPET_SAMPLES + SNIPPET_BEFORE + 3 * around] = 1.0
        identifier.scatter.copy_(torch.eye(identifier.scatter.shape[-1]).repeat(4, 1, 1))
    facts = {"sampling_rate_hz": 10_000.0, "band_hz": [300.0, 3000.0]}
    export_weights(detector, folder / "detector.safetensors", {**facts, "architecture": {"dilations": []}})
    export_weights(identifier, folder / "identifier.safetensors", {**facts, "architecture": {"layers": 1}})
    return folder
