"""The published detector: a transformer that spends one token on every sample."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import nn

from spikeline.errors import DataError

__all__ = ["WINDOW_SAMPLES", "PaperDetector"]

WINDOW_SAMPLES = 2000
_LONGEST_WINDOW = 6000


def _sinusoids(n_positions: int, width: int) -> Float[torch.Tensor, "positions width"]:
    """Sine in even and cosine in odd columns, wavelengths from 2 pi to 2 pi 10000 samples (Vaswani et al. 2017)."""
    position = torch.arange(n_positions, dtype=torch.float64)[:, None]
    angle = position * torch.exp(torch.arange(0, width, 2, dtype=torch.float64) * (-math.log(10000.0) / width))
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1).to(torch.float32)


class PaperDetector(nn.Module):
    """Says of every sample whether a spike is there.

    Linear map to the tokens' width, sinusoidal positions added, post-norm encoder layers with ReLU, linear map to one
    logit per sample.

    Parameters
    ----------
    n_channels
        Of the recording.
    n_layers, dropout
        4 and 0.2 in the released configuration, 1 and 0 in the published training script.
    width, n_heads, feedforward
        Of the encoder layers.

    Notes
    -----
    Source: SimSort, released detection configuration; 3,160,577 parameters. Dropout is that of the encoder layers;
    none is put after the positions.
    """

    def __init__(
        self,
        n_channels: int = 4,
        *,
        n_layers: int = 4,
        dropout: float = 0.2,
        width: int = 256,
        n_heads: int = 4,
        feedforward: int = 1024,
    ) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(
            width, n_heads, feedforward, dropout, activation="relu", batch_first=True, norm_first=False
        )
        self.embedding = nn.Linear(n_channels, width)
        self.encoder = nn.TransformerEncoder(layer, n_layers, enable_nested_tensor=False)
        self.head = nn.Linear(width, 1)
        # Computed, not learned: a file of weights holds parameters alone.
        self.register_buffer("positions", _sinusoids(_LONGEST_WINDOW, width), persistent=False)

    def forward(self, windows: Float[torch.Tensor, "batch samples channels"]) -> Float[torch.Tensor, "batch samples"]:
        """Logits of a spike at each sample.

        Parameters
        ----------
        windows
            z-scored (training) or whitened (sorting) traces, no unit; the published length is `WINDOW_SAMPLES`.

        Raises
        ------
        DataError
            If the windows are longer than the 6000 positions there are.
        """
        n_samples = windows.shape[1]
        if n_samples > _LONGEST_WINDOW:
            raise DataError(
                f"windows of {n_samples} samples",
                f"at most {_LONGEST_WINDOW}: the detector knows no later position",
                f"cut the traces into windows of {WINDOW_SAMPLES} samples",
            )
        return self.head(self.encoder(self.embedding(windows) + self.positions[:n_samples])).squeeze(-1)
