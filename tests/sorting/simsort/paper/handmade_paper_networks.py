"""The published networks with weights set by hand: a threshold, and leaky sums. Enough to sort easy units."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from spikeline.sorting.simsort.paper.denoising import fitted_basis
from spikeline.sorting.simsort.paper.detector import PaperDetector
from spikeline.sorting.simsort.paper.identifier import SNIPPET_SAMPLES, PaperIdentifier
from spikeline.training.export import export_weights

__all__ = ["DETECTOR", "FACTS", "IDENTIFIER", "handmade_detector", "handmade_identifier", "write_paper_networks"]

FACTS = {"preset": "paper", "sampling_rate_hz": 10_000.0, "band_hz": [300.0, 3000.0]}
DETECTOR = {"n_layers": 1, "dropout": 0.0, "width": 8, "n_heads": 1, "feedforward": 4}
IDENTIFIER = {"hidden": 16}
_FAR = 1e4  # positions are at most 1, and beside this nothing
_THRESHOLD = 9.0  # of the sum over channels, whose standard deviation is 2 in noise
_LEAK = 2.5


def handmade_detector() -> PaperDetector:
    """Says spike where the sum over the channels lies below minus a threshold; looks at no other sample.

    The layer passes its input on; its normalisation divides by the root of what constant features and the trace hold
    together, which the threshold, a constant feature too, goes through likewise.
    """
    detector = PaperDetector(**DETECTOR)
    with torch.no_grad():
        for parameter in detector.parameters():
            parameter.zero_()
        layer = detector.encoder.layers[0]
        layer.norm1.weight.fill_(1.0), layer.norm2.weight.fill_(1.0)
        # Features in pairs of opposite sign, so that the mean is 0: the sum of the channels, and the threshold.
        detector.embedding.weight[0], detector.embedding.weight[1] = -_FAR, _FAR
        detector.embedding.bias[2], detector.embedding.bias[3] = -_FAR * _THRESHOLD, _FAR * _THRESHOLD
        detector.head.weight[0, 0] = detector.head.weight[0, 2] = 40.0
    return detector


def handmade_identifier() -> PaperIdentifier:
    """Random sums over channels that leak away: units of other shape and place end elsewhere."""
    torch.manual_seed(0)
    identifier = PaperIdentifier(**IDENTIFIER)
    hidden = IDENTIFIER["hidden"]
    with torch.no_grad():
        for parameter in identifier.parameters():
            parameter.zero_()
        # gates in the order reset, update, new; an update gate near 1 keeps what was before
        identifier.recurrent.bias_ih_l0[hidden : 2 * hidden] = _LEAK
        identifier.recurrent.weight_ih_l0[2 * hidden :] = 0.1 * torch.randn(hidden, 4)
        identifier.basis.copy_(fitted_basis(torch.randn(400, SNIPPET_SAMPLES, 4)))
    return identifier


def write_paper_networks(folder: Path, **cards: dict[str, Any]) -> Path:
    """Both, with other entries on the card of one."""
    detector, identifier = {"architecture": DETECTOR}, {"architecture": IDENTIFIER}
    export_weights(
        handmade_detector(), folder / "detector.safetensors", {**FACTS, **detector, **cards.get("detector", {})}
    )
    export_weights(
        handmade_identifier(), folder / "identifier.safetensors", {**FACTS, **identifier, **cards.get("identifier", {})}
    )
    return folder
