import torch

from spikeline.sorting.simsort.paper.denoising import denoised
from spikeline.sorting.simsort.paper.identifier import PaperIdentifier, embed


def _snippets(count):
    return torch.randn(count, 60, 4, generator=torch.Generator().manual_seed(0))


def test_it_has_the_published_number_of_parameters():
    assert sum(p.numel() for p in PaperIdentifier().parameters()) == 795_648


def test_one_embedding_per_snippet():
    with torch.inference_mode():
        assert PaperIdentifier()(_snippets(3)).shape == (3, 512)


def test_the_embedding_is_the_state_after_the_last_sample():
    """The recurrence written out (Cho et al. 2014, with torch's placement of the reset gate)."""
    torch.manual_seed(0)
    identifier, snippets = PaperIdentifier(hidden=8), _snippets(3)
    cell = identifier.recurrent
    state = torch.zeros(3, 8)
    with torch.no_grad():
        for step in range(60):
            given = (snippets[:, step] @ cell.weight_ih_l0.T + cell.bias_ih_l0).chunk(3, dim=1)
            kept = (state @ cell.weight_hh_l0.T + cell.bias_hh_l0).chunk(3, dim=1)
            reset, update = torch.sigmoid(given[0] + kept[0]), torch.sigmoid(given[1] + kept[1])
            state = (1 - update) * torch.tanh(given[2] + reset * kept[2]) + update * state
        torch.testing.assert_close(identifier(snippets), state)


def test_batches_without_denoising_change_nothing():
    identifier, snippets = PaperIdentifier(hidden=8), _snippets(10)
    with torch.no_grad():
        whole = identifier(snippets)
    for batch in (1, 4, 10, 256):
        found = embed(identifier, snippets, lambda part: denoised(part, "off"), batch=batch)
        torch.testing.assert_close(found, whole)
    assert identifier.training
