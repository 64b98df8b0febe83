import numpy as np
import pytest
import torch

from spikeline.artifacts import seed_stream
from spikeline.errors import ConfigError, DataError
from spikeline.sorting.simsort.paper.denoising import denoised, fitted_basis, in_basis, in_batch
from spikeline.sorting.simsort.paper.identifier import PaperIdentifier, embed


def _snippets(count, seed=0):
    """Noisy spikes of a few shapes."""
    stream = seed_stream(seed, "test-denoising")
    shapes = 30 * stream.standard_normal((12, 60, 4))
    noisy = shapes[stream.integers(0, 12, count)] + 8 * stream.standard_normal((count, 60, 4))
    return torch.from_numpy(noisy.astype(np.float32))


@pytest.fixture(scope="module")
def identifier():
    torch.manual_seed(0)
    return PaperIdentifier(hidden=32)


def _embedded(identifier, snippets, svd, batch):
    basis = fitted_basis(_snippets(500, seed=1))
    return embed(identifier, snippets, lambda part: denoised(part, svd, basis), batch=batch)


def test_in_batch_is_the_best_approximation_of_its_rank():
    snippets = _snippets(40)
    rows = snippets.flatten(1).double().numpy()
    rows -= rows.mean(axis=1, keepdims=True)
    found = in_batch(snippets).flatten(1).double().numpy()
    values = np.linalg.svd(rows, compute_uv=False)
    assert np.linalg.matrix_rank(found, tol=1e-2) == 8
    assert ((rows - found) ** 2).sum() == pytest.approx((values[8:] ** 2).sum(), rel=1e-4)  # Eckart & Young


def test_few_snippets_lose_their_means_only():
    snippets = _snippets(8)
    torch.testing.assert_close(
        in_batch(snippets), snippets - snippets.mean(dim=(1, 2), keepdim=True), atol=1e-3, rtol=0
    )


def test_the_basis_of_a_batch_does_what_the_batch_does():
    snippets = _snippets(100)
    basis = fitted_basis(snippets)
    torch.testing.assert_close(in_basis(snippets, basis), in_batch(snippets), atol=1e-2, rtol=0)
    torch.testing.assert_close(basis.T @ basis, torch.eye(8), atol=1e-5, rtol=0)


def test_a_projection_stays_where_it_is():
    basis = fitted_basis(_snippets(100))
    basis -= basis.mean(dim=0)  # patterns of centred snippets are centred, to rounding
    once = in_basis(_snippets(20, seed=2), basis)
    torch.testing.assert_close(in_basis(once, basis), once, atol=1e-3, rtol=0)


def test_with_a_fixed_basis_an_embedding_is_its_snippets_own(identifier):
    snippets = _snippets(60)
    alone = _embedded(identifier, snippets, "fixed_basis", batch=1)
    for batch in (7, 60):
        torch.testing.assert_close(_embedded(identifier, snippets, "fixed_basis", batch), alone, atol=1e-4, rtol=0)
    order = torch.randperm(60, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(
        _embedded(identifier, snippets[order], "fixed_basis", batch=20), alone[order], atol=1e-4, rtol=0
    )


def test_with_the_published_denoising_it_depends_on_batch_size_mates_and_order(identifier):
    snippets = _snippets(60)
    whole = _embedded(identifier, snippets, "batch", batch=60)
    assert (_embedded(identifier, snippets, "batch", batch=20) - whole).abs().max() > 0.05
    mates = torch.cat([snippets[:30], _snippets(30, seed=3)])
    assert (_embedded(identifier, mates, "batch", batch=60)[:30] - whole[:30]).abs().max() > 0.05
    order = torch.randperm(60, generator=torch.Generator().manual_seed(0))
    in_order = _embedded(identifier, snippets, "batch", batch=20)
    assert (_embedded(identifier, snippets[order], "batch", batch=20) - in_order[order]).abs().max() > 0.05


def test_off_changes_nothing_and_an_empty_batch_is_fine():
    snippets = _snippets(5)
    assert denoised(snippets, "off") is snippets
    assert len(denoised(snippets[:0], "batch")) == 0


def test_what_cannot_be_is_refused():
    snippets = _snippets(10)
    with pytest.raises(ConfigError, match="whole"):
        denoised(snippets, "whole")
    with pytest.raises(ConfigError, match="without a basis"):
        denoised(snippets, "fixed_basis")
    with pytest.raises(DataError, match="7 snippets"):
        fitted_basis(snippets[:7])
    with pytest.raises(DataError, match="0 snippets"):
        fitted_basis(snippets[:0])
    with pytest.raises(DataError, match="a basis for 240 values"):
        in_basis(snippets[:, :50], fitted_basis(snippets))
