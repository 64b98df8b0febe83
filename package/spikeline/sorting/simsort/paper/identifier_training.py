"""What the published identifier is trained on: is a spike nearer to one of its own unit than to one of another?"""

from __future__ import annotations

from typing import Any, Literal

import torch
from lightning.pytorch import LightningModule

from spikeline.sorting.simsort.paper.denoising import denoised, fitted_basis
from spikeline.sorting.simsort.paper.identifier import PaperIdentifier
from spikeline.sorting.simsort.paper.losses import identification_loss

__all__ = ["PaperIdentifierTraining"]

_ROLES = ("anchor", "positive", "negative")


class PaperIdentifierTraining(LightningModule):
    """Training of a `PaperIdentifier`.

    Parameters
    ----------
    identifier
        The network. Its basis is fitted to the snippets of the first batch, whatever ``svd`` is, so that its weights
        can be used with any.
    svd
        Denoising before the network, of anchors, positives and negatives each for themselves; see `denoising.denoised`.

    Notes
    -----
    Source: SimSort, released training code of the identifier, but for the basis, which it does not have.
    """

    def __init__(self, identifier: PaperIdentifier, svd: Literal["batch", "fixed_basis", "off"] = "batch") -> None:
        super().__init__()
        self.identifier, self.svd = identifier, svd

    def training_step(self, batch: Any, index: int) -> dict[str, torch.Tensor]:
        """Triplet loss, and the share of anchors that are nearer to their positive than to their negative."""
        self._fit_basis(batch)
        anchor, positive, negative = (
            self.identifier(denoised(batch[role], self.svd, self.identifier.basis)) for role in _ROLES
        )
        nearer = (anchor - positive).norm(dim=1) < (anchor - negative).norm(dim=1)
        return {"loss": identification_loss(anchor, positive, negative), "nearer": nearer.float().mean()}

    def validation_step(self, batch: Any, index: int) -> dict[str, torch.Tensor]:
        """The same on held-out cells."""
        return self.training_step(batch, index)

    @torch.no_grad()
    def _fit_basis(self, batch: Any) -> None:
        if not self.identifier.fitted:
            self.identifier.basis.copy_(fitted_basis(torch.cat([batch[role] for role in _ROLES])))
