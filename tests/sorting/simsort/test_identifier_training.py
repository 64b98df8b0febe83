"""What the identifier is trained on, against loops over spikes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from spikeline.sorting.simsort.identifier import Identifier
from spikeline.sorting.simsort.identifier_training import IdentifierTraining, scatter_matrix, unit_log_probabilities

UNIT = np.array([0, 0, 0, 0, 1, 1, 2, 2, 2, 3, 3, 3, 3, 4, 4])
SCENE = np.array([0] * 9 + [1] * 6)


def drawn(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.double, generator=torch.Generator().manual_seed(sum(shape)))


def random_identifier(**architecture: int) -> Identifier:
    torch.manual_seed(1)
    return Identifier(**architecture).double()


def labelled_points(dimensions: int = 3) -> torch.Tensor:
    return drawn(len(UNIT), dimensions) + torch.from_numpy(np.random.default_rng(0).normal(size=(5, dimensions)))[UNIT]


def test_scatter_is_the_pooled_covariance_within_units() -> None:
    points = labelled_points()
    total = np.zeros((3, 3))
    for unit in range(5):
        own = points[unit == UNIT].numpy()
        for point in own:
            total += np.outer(point - own.mean(axis=0), point - own.mean(axis=0))
    expected = total / (len(UNIT) - 5)
    np.testing.assert_allclose(scatter_matrix(points, torch.from_numpy(UNIT)), expected, rtol=1e-10)


def brute_log_probabilities(points: np.ndarray) -> np.ndarray:
    out = []
    for spike, point in enumerate(points):
        logits = {}
        for unit in np.unique(UNIT[SCENE[spike] == SCENE]):
            others = (unit == UNIT) & (np.arange(len(UNIT)) != spike)  # its own unit's centre without the spike itself
            logits[unit] = -0.5 * ((point - points[others].mean(axis=0)) ** 2).sum()
        own = logits[UNIT[spike]]
        out.append(own - np.log(sum(np.exp(value) for value in logits.values())))
    return np.array(out)


@pytest.mark.parametrize("scale", [0.1, 1.0, 5.0])
def test_log_probabilities_are_those_of_a_loop_that_leaves_the_spike_out(scale: float) -> None:
    points = scale * labelled_points()
    made = unit_log_probabilities(points, torch.from_numpy(UNIT), torch.from_numpy(SCENE))
    np.testing.assert_allclose(made, brute_log_probabilities(points.numpy()), rtol=1e-8, atol=1e-10)


def test_other_scenes_and_the_place_of_the_origin_do_not_matter() -> None:
    points, unit, scene = labelled_points(), torch.from_numpy(UNIT), torch.from_numpy(SCENE)
    made = unit_log_probabilities(points, unit, scene)
    moved = points.clone()
    moved[SCENE == 1] += 100
    assert torch.allclose(unit_log_probabilities(moved, unit, scene), made)
    order = torch.from_numpy(np.random.default_rng(1).permutation(len(UNIT)))
    assert torch.allclose(unit_log_probabilities(points[order], unit[order], scene[order]), made[order])


def batch(seed: int, n_units: int = 12, spikes: int = 30, channels: int = 4) -> dict[str, torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    unit = torch.arange(n_units).repeat_interleave(spikes)
    templates = 3 * torch.randn(n_units, 4, 32, dtype=torch.double, generator=draw)
    snippets = templates[unit] + torch.randn(len(unit), 4, 32, dtype=torch.double, generator=draw)
    snippets[:, channels:] = 0
    return {"snippets": snippets, "unit": unit, "scene": unit // 4}


def test_the_loss_is_the_cross_entropy_of_points_of_unit_scatter() -> None:
    identifier = random_identifier(dimensions=3, width=16, layers=1)
    training, one = IdentifierTraining(identifier), batch(0)
    result = training.training_step(one, 0)
    points = identifier(one["snippets"]).detach()
    values, vectors = np.linalg.eigh(scatter_matrix(points, one["unit"]).numpy())
    white = torch.from_numpy(points.numpy() @ (vectors / np.sqrt(values)) @ vectors.T)
    expected = unit_log_probabilities(white, one["unit"], one["scene"])
    assert result["loss"].item() == pytest.approx(-expected.mean().item(), rel=0.02, abs=1e-3)
    assert 0 <= result["likely"].item() <= 1


def test_the_loss_does_not_depend_on_the_scale_of_the_points() -> None:
    identifier, one = random_identifier(dimensions=3, width=16, layers=1), batch(0)
    losses = []
    for scale in (1.0, 50.0):
        with torch.no_grad():
            identifier.scatter.copy_(scale * torch.eye(3).repeat(4, 1, 1))
        losses.append(IdentifierTraining(identifier).training_step(one, 0)["loss"].item())
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_settling_makes_the_scatter_the_identity(channels: int) -> None:
    identifier = random_identifier(dimensions=4, width=16, layers=2)
    batches = [batch(seed, channels=channels) for seed in range(3)]
    others = [batch(0, channels=count)["snippets"] for count in range(1, 5) if count != channels]
    elsewhere = [identifier(snippets).detach() for snippets in others]
    before = identifier(batches[0]["snippets"]).detach()
    training = IdentifierTraining(identifier)
    for _ in range(2):  # the second time there is nothing left to do
        training.settle(channels, batches)
        total = sum(scatter_matrix(identifier(one["snippets"]), one["unit"]) for one in batches) / 3
        assert torch.allclose(total, torch.eye(4, dtype=torch.double), atol=1e-8)
    after = identifier(batches[0]["snippets"]).detach()
    fitted = torch.linalg.lstsq(before, after).solution
    assert torch.allclose(before @ fitted, after)  # a linear map of what it was: no direction is lost
    for snippets, points in zip(others, elsewhere, strict=True):
        assert torch.equal(identifier(snippets).detach(), points)  # of what is seen on other channels nothing changes
