"""The published identifier: a recurrent network that turns a spike into an embedding."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import nn

from spikeline.sorting.simsort.paper.denoising import RANK

__all__ = ["BATCH_SNIPPETS", "SNIPPET_SAMPLES", "PaperIdentifier", "embed"]

SNIPPET_SAMPLES = 60
BATCH_SNIPPETS = 256


class PaperIdentifier(nn.Module):
    """A single-layer GRU; its hidden state after the last sample is the embedding, not normalised.

    Parameters
    ----------
    n_channels
        Of the recording.
    hidden
        Length of an embedding.

    Notes
    -----
    Source: SimSort, released extraction configuration; 795,648 parameters.
    """

    def __init__(self, n_channels: int = 4, *, hidden: int = 512) -> None:
        super().__init__()
        self.recurrent = nn.GRU(n_channels, hidden, batch_first=True)
        # Fitted in training (`denoising.fitted_basis`) and kept with the weights; zeros until then.
        self.register_buffer("basis", torch.zeros(SNIPPET_SAMPLES * n_channels, RANK))

    @property
    def fitted(self) -> bool:
        """Whether there is a basis to denoise with."""
        return bool(self.basis.any())

    def forward(
        self, snippets: Float[torch.Tensor, "batch samples channels"]
    ) -> Float[torch.Tensor, "batch embedding"]:
        """Embeddings of snippets, uV; the published length is `SNIPPET_SAMPLES`: 20 before the peak, 40 from it on."""
        _, last = self.recurrent(snippets)
        return last[0]


def embed(
    identifier: nn.Module,
    snippets: Float[torch.Tensor, "snippets samples channels"],
    denoise: Callable[[torch.Tensor], torch.Tensor],
    *,
    batch: int = BATCH_SNIPPETS,
) -> Float[torch.Tensor, "snippets embedding"]:
    """Denoise and embed snippets batch by batch, in their order.

    Parameters
    ----------
    identifier
        `PaperIdentifier` or another network of its shapes.
    snippets
        uV.
    denoise
        What each batch goes through first, see `denoising.denoised`. With in-batch SVD the result depends on
        ``batch`` and on the order of the snippets, as in the published sorter.
    batch
        Snippets per batch; the last batch may be smaller.

    Notes
    -----
    Source: SimSort, released extraction configuration.
    """
    was_training = identifier.training
    identifier.eval()
    try:
        with torch.inference_mode():
            return torch.cat([identifier(denoise(part)) for part in snippets.split(batch)])
    finally:
        identifier.train(was_training)
