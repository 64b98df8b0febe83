"""What the identifier is trained on: to which unit of its scene does a spike belong?"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float, Int
from lightning.pytorch import LightningModule

from spikeline.sorting.simsort.identifier import Identifier

__all__ = ["IdentifierTraining", "scatter_matrix", "unit_log_probabilities"]

_RIDGE = 1e-3


def _centres(
    points: Float[torch.Tensor, "spikes dimensions"], unit: Int[torch.Tensor, " spikes"]
) -> tuple[Float[torch.Tensor, "units dimensions"], Float[torch.Tensor, " units"]]:
    n_units = int(unit.max()) + 1
    count = torch.zeros(n_units, dtype=points.dtype, device=points.device).index_add(
        0, unit, torch.ones_like(points[:, 0])
    )
    total = torch.zeros(n_units, points.shape[1], dtype=points.dtype, device=points.device).index_add(0, unit, points)
    return total / count[:, None], count


def scatter_matrix(
    points: Float[torch.Tensor, "spikes dimensions"], unit: Int[torch.Tensor, " spikes"]
) -> Float[torch.Tensor, "dimensions dimensions"]:
    """Covariance within units, pooled over them."""
    centres, count = _centres(points, unit)
    away = points - centres[unit]
    return away.T @ away / (count.sum() - len(count))


def unit_log_probabilities(
    points: Float[torch.Tensor, "spikes dimensions"],
    unit: Int[torch.Tensor, " spikes"],
    scene: Int[torch.Tensor, " spikes"],
) -> Float[torch.Tensor, " spikes"]:
    """Log-probability of each spike's own unit among those of its scene, if units scatter with variance 1.

    The centre of its own unit is taken without the spike itself; with it, a unit of few spikes would draw each of them.
    """
    centres, count = _centres(points, unit)
    squared = torch.cdist(points, centres).square()
    own = unit[:, None]
    # |x - (n c - x) / (n - 1)|^2 = (n / (n - 1))^2 |x - c|^2
    share = (count / (count - 1)).square()[unit][:, None]
    squared = squared.scatter(1, own, squared.gather(1, own) * share)
    scene_of_unit = torch.zeros(len(centres), dtype=scene.dtype, device=scene.device).scatter(0, unit, scene)
    elsewhere = scene[:, None] != scene_of_unit[None, :]
    logits = (-squared / 2).masked_fill(elsewhere, -torch.inf)
    return torch.log_softmax(logits, dim=1).gather(1, own)[:, 0]


class IdentifierTraining(LightningModule):
    """Training of an `Identifier`.

    The points are first made to scatter with unit covariance within units, so the loss cannot be lowered by their
    scale: only by how far units are apart in units of their own scatter, which is what a clustering has to go by. This
    is linear discriminant analysis with a network for its linear map.

    Parameters
    ----------
    identifier
        The network.
    """

    def __init__(self, identifier: Identifier) -> None:
        super().__init__()
        self.identifier = identifier

    def training_step(self, batch: Any, index: int) -> dict[str, torch.Tensor]:
        """Cross-entropy, and the share of spikes nearest to their own unit's centre."""
        points = self.identifier(batch["snippets"])
        scatter = scatter_matrix(points, batch["unit"])
        scatter = scatter + _RIDGE * scatter.diagonal().mean() * torch.eye(len(scatter), device=scatter.device)
        points = torch.linalg.solve_triangular(torch.linalg.cholesky(scatter), points.T, upper=False).T
        own = unit_log_probabilities(points, batch["unit"], batch["scene"])
        return {"loss": -own.mean(), "likely": (own > -0.6931).float().mean()}

    def validation_step(self, batch: Any, index: int) -> dict[str, torch.Tensor]:
        """The same on held-out cells."""
        return self.training_step(batch, index)

    @torch.no_grad()
    def settle(self, channels: int, batches: list[Any]) -> None:
        """Measure the scatter within units, seen on so many channels, and build its inverse root into the network."""
        here = next(self.identifier.parameters()).device  # scenes may have been made on another
        scatters = [
            scatter_matrix(
                self.identifier(torch.as_tensor(batch["snippets"], device=here)),
                torch.as_tensor(batch["unit"], device=here),
            )
            for batch in batches
        ]
        self.identifier.settle(channels, torch.stack(scatters).mean(dim=0))
