"""The identifier sees each spike by itself."""

from __future__ import annotations

import torch

from spikeline.sorting.simsort.identifier import Identifier


def test_a_point_does_not_depend_on_batch_mates() -> None:
    torch.manual_seed(1)
    identifier, snippets = Identifier().double(), torch.randn(7, 4, 32, dtype=torch.double)
    together = identifier(snippets)
    assert together.shape == (7, 12)
    alone = torch.cat([identifier(snippet[None]) for snippet in snippets])
    assert torch.allclose(alone, together)
    order = torch.tensor([3, 1, 6, 0, 2, 5, 4])
    assert torch.allclose(identifier(snippets[order]), together[order])
