"""The default identifier: a point for each spike; those of one unit scatter around its centre with variance 1."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
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
        self.scatter = nn.Parameter(torch.eye(dimensions).repeat(GROUP, 1, 1), requires_grad=False)
        """Makes the scatter within units the unit matrix, for each number of channels they are seen on; measured, not
        learned (`identifier_training`). On one there are fewer independent values than dimensions, and less scatter."""

    def spread(
        self, snippets: Float[torch.Tensor, "spikes 4 32"]
    ) -> tuple[Float[torch.Tensor, "spikes dimensions"], Int[torch.Tensor, " spikes"]]:
        """Points before their scatter is made 1, and on how many channels, less 1, each spike is seen."""
        flat = snippets.flatten(1)
        channels = (snippets != 0).any(dim=2).sum(dim=1).clamp(min=1) - 1
        return self.linear(flat) + self.layers(flat), channels

    def forward(self, snippets: Float[torch.Tensor, "spikes 4 32"]) -> Float[torch.Tensor, "spikes dimensions"]:
        """Embeddings of whitened snippets (`snippets.cut_snippets`)."""
        points, channels = self.spread(snippets)
        return torch.einsum("ned,nd->ne", self.scatter[channels], points)

    @torch.no_grad()
    def settle(self, channels: int, scatter: Float[torch.Tensor, "dimensions dimensions"]) -> None:
        """Make the scatter of what is seen on so many channels 1, which now is ``scatter``."""
        values, vectors = torch.linalg.eigh(scatter)
        root = (vectors / values.sqrt()) @ vectors.T
        self.scatter[channels - 1] = root @ self.scatter[channels - 1]
