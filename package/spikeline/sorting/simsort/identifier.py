"""The default identifier: a point for each spike; those of one unit scatter around its centre with variance 1."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import nn

from spikeline.sorting.simsort.detector import GROUP
from spikeline.sorting.simsort.snippets import SNIPPET_SAMPLES

__all__ = ["Identifier"]


class Identifier(nn.Module):
    """A linear map plus what layers add to it, each spike by itself: neither batch mates nor order matter.

    Parameters
    ----------
    dimensions
        Of the embedding.
    width, layers
        Of the nonlinear part.
    """

    def __init__(self, *, dimensions: int = 12, width: int = 256, layers: int = 3) -> None:
        super().__init__()
        inputs = GROUP * SNIPPET_SAMPLES
        self.linear = nn.Linear(inputs, dimensions, bias=False)
        parts: list[nn.Module] = []
        for index in range(layers):
            parts += [nn.Linear(inputs if index == 0 else width, width), nn.ReLU()]
        self.layers = nn.Sequential(*parts, nn.Linear(width, dimensions))
        self.scatter = nn.Linear(dimensions, dimensions, bias=False)
        """Makes the scatter within units the unit matrix; measured, not learned (`identifier_training`)."""
        nn.init.eye_(self.scatter.weight)
        self.scatter.requires_grad_(False)

    def forward(self, snippets: Float[torch.Tensor, "spikes 4 32"]) -> Float[torch.Tensor, "spikes dimensions"]:
        """Embeddings of whitened snippets (`snippets.cut_snippets`)."""
        flat = snippets.flatten(1)
        return self.scatter(self.linear(flat) + self.layers(flat))
