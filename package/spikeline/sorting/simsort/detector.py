"""The default detector: a small convolutional network that says of every sample whether a spike peaks there."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import nn

__all__ = ["GROUP", "Detector"]

GROUP = 4
"""Channels a network sees at a time; where there are fewer, the others are zero."""

_STEM_TAPS = 7


class Detector(nn.Module):
    """Convolutions over time, with residuals; every sample of the output looks at the same neighbourhood.

    Which channels there are is told to the first layer: noise looks like a spike more easily on four channels than on
    one, and a network that cannot tell them apart is as careful on one as it must be on four.

    Parameters
    ----------
    width
        Features per sample.
    taps
        Length of the convolutions after the first.
    dilations
        One layer each; with 5 taps the defaults see 50 samples, 5 ms at 10 kHz, a whole spike and what surrounds it.
    """

    def __init__(self, *, width: int = 32, taps: int = 5, dilations: tuple[int, ...] = (1, 1, 2, 4, 2, 1)) -> None:
        super().__init__()
        self.stem = nn.Conv1d(GROUP, width, _STEM_TAPS, padding="same")
        self.layers = nn.ModuleList(
            nn.Conv1d(width, width, taps, padding="same", dilation=dilation) for dilation in dilations
        )
        self.head = nn.Conv1d(width, 1, 1)
        self.presence = nn.Linear(GROUP, width, bias=False)
        self.margin = _STEM_TAPS // 2 + sum(dilation * (taps // 2) for dilation in dilations)
        """Samples on either side that an output depends on, besides which channels there are."""

    def forward(self, traces: Float[torch.Tensor, "batch 4 samples"]) -> Float[torch.Tensor, "batch samples"]:
        """Logits of a spike's peak at each sample.

        Parameters
        ----------
        traces
            Whitened (`spikeline.sorting.simsort.whitening`), 10 kHz; a channel that is not there is zero throughout.
        """
        there = (traces != 0).any(dim=-1).to(traces.dtype)
        features = torch.relu(self.stem(traces) + self.presence(there)[:, :, None])
        for layer in self.layers:
            features = features + torch.relu(layer(features))
        return self.head(features)[:, 0]
