"""The published losses as the networks are trained on them."""

from __future__ import annotations

import pytest
import torch

from spikeline.sorting.simsort.paper.denoising import denoised, fitted_basis
from spikeline.sorting.simsort.paper.detector import PaperDetector
from spikeline.sorting.simsort.paper.detector_training import PaperDetectorTraining
from spikeline.sorting.simsort.paper.identifier import PaperIdentifier
from spikeline.sorting.simsort.paper.identifier_training import PaperIdentifierTraining
from spikeline.sorting.simsort.paper.losses import identification_loss


def test_a_spikes_samples_count_as_often_as_the_batch_says() -> None:
    torch.manual_seed(0)
    module = PaperDetectorTraining(PaperDetector(n_layers=1, width=8, n_heads=2, feedforward=8, dropout=0.0)).double()
    module.detector.positions = module.detector.positions.double()
    windows, labels = torch.randn(3, 50, 4).double(), (torch.rand(3, 50) < 0.1).double()
    batch = {"windows": windows, "labels": labels, "positive_weight": torch.tensor(7.0)}
    p = torch.sigmoid(module.detector(windows))
    expected = -(7 * labels * p.log() + (1 - labels) * (1 - p).log()).mean()
    torch.testing.assert_close(module.training_step(batch, 0)["loss"], expected)
    torch.testing.assert_close(module.validation_step(batch, 0)["loss"], expected)


@pytest.mark.parametrize("svd", ["batch", "fixed_basis", "off"])
def test_each_role_is_denoised_for_itself(svd: str) -> None:
    torch.manual_seed(0)
    module = PaperIdentifierTraining(PaperIdentifier(hidden=6), svd)
    batch = {role: torch.randn(20, 60, 4) for role in ("anchor", "positive", "negative")}
    assert not module.identifier.fitted
    step = module.training_step(batch, 0)
    basis = fitted_basis(torch.cat(list(batch.values())))
    torch.testing.assert_close(module.identifier.basis, basis)
    points = [module.identifier(denoised(part, svd, basis)) for part in batch.values()]
    torch.testing.assert_close(step["loss"], identification_loss(*points))
    away = [(points[0] - other).norm(dim=1) for other in points[1:]]
    assert step["nearer"].item() == pytest.approx((away[0] < away[1]).float().mean().item())
    # the basis is that of the first batch
    module.training_step({role: torch.randn(20, 60, 4) for role in batch}, 1)
    torch.testing.assert_close(module.identifier.basis, basis)
    assert module.identifier.basis.requires_grad is False
