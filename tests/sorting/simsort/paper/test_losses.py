import numpy as np
import pytest
import torch

from spikeline.errors import DataError
from spikeline.sorting.simsort.paper.losses import detection_loss, identification_loss, positive_weight


def _drawn(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


def test_the_weight_is_the_ratio_of_counts():
    assert positive_weight(50, 950) == 19
    for counts in ((0, 10), (10, 0)):
        with pytest.raises(DataError, match="at least one of each"):
            positive_weight(*counts)


def test_detection_loss_is_weighted_cross_entropy():
    logits, labels = _drawn(3, 40), (_drawn(3, 40) > 1).float()
    p = 1 / (1 + np.exp(-logits.double().numpy()))
    truth = labels.numpy()
    expected = -(7.5 * truth * np.log(p) + (1 - truth) * np.log(1 - p)).mean()
    assert detection_loss(logits, labels, 7.5).item() == pytest.approx(expected, rel=1e-5)


def test_with_the_sets_own_weight_both_classes_weigh_the_same_at_chance():
    labels = torch.zeros(4, 100)
    labels[:, :5] = 1
    logits = torch.zeros(4, 100, requires_grad=True)
    detection_loss(logits, labels, positive_weight(20, 380)).backward()
    assert logits.grad[:, :5].sum().item() == pytest.approx(-logits.grad[:, 5:].sum().item(), rel=1e-5)


def test_identification_loss_is_the_hinge_of_distances():
    anchor, positive, negative = _drawn(20, 6), _drawn(20, 6) * 0.5, _drawn(20, 6) + 1
    near = np.linalg.norm((anchor - positive).numpy(), axis=1)
    far = np.linalg.norm((anchor - negative).numpy(), axis=1)
    expected = np.maximum(near - far + 1, 0).mean()
    assert identification_loss(anchor, positive, negative).item() == pytest.approx(expected, rel=1e-4)
