"""Snippets reduced to a few patterns before they are embedded, by the published rule and by one that is reproducible.

The published rule takes the patterns from the batch a snippet happens to be in, so an embedding depends on the other
snippets of its batch, on their order and on the size of a batch. A basis fitted once and kept with the weights does
not.
"""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float

from spikeline.errors import ConfigError, DataError

__all__ = ["RANK", "denoised", "fitted_basis", "in_batch", "in_basis"]

RANK = 8


def _centred_rows(snippets: torch.Tensor) -> torch.Tensor:
    """(snippets, samples x channels); the mean over samples and channels of each snippet is taken off."""
    rows = snippets.flatten(1)
    return rows - rows.mean(dim=1, keepdim=True)


def in_batch(
    snippets: Float[torch.Tensor, "snippets samples channels"], *, rank: int = RANK
) -> Float[torch.Tensor, "snippets samples channels"]:
    """The batch's best approximation of a rank, each snippet's mean taken off and not put back.

    A batch of at most ``rank`` snippets passes unchanged but for its means.

    Parameters
    ----------
    snippets
        One batch, any unit; the published size is 256.
    rank
        Number of patterns.

    Notes
    -----
    Source: SimSort, released code of the identifier; used in training (on anchors, positives and negatives, each for
    themselves) and in sorting.
    """
    left, values, right = torch.linalg.svd(_centred_rows(snippets), full_matrices=False)
    return ((left[:, :rank] * values[:rank]) @ right[:rank]).reshape(snippets.shape)


def fitted_basis(
    snippets: Float[torch.Tensor, "snippets samples channels"], *, rank: int = RANK
) -> Float[torch.Tensor, "features rank"]:
    """The ``rank`` patterns that hold most of the snippets' energy, orthonormal, in columns.

    Fitted once on training snippets and kept with the weights: the right singular vectors that `in_batch` would find
    were all of them one batch. In float64, so that the number of snippets does not matter.

    Parameters
    ----------
    snippets
        At least ``rank`` of them.
    rank
        Number of patterns.

    Raises
    ------
    DataError
        If there are fewer snippets, or values in one, than patterns.
    """
    n_snippets, n_features = len(snippets), snippets.shape[1:].numel()
    if min(n_snippets, n_features) < rank:
        raise DataError(
            f"{n_snippets} snippets of {n_features} values",
            f"at least {rank} of each",
            "fit on more snippets",
        )
    rows = _centred_rows(snippets).double()
    _, vectors = torch.linalg.eigh(rows.T @ rows)
    basis = vectors[:, -rank:].flip(1)
    # Eigenvectors come with either sign; with the largest entry positive, one machine writes what another does.
    largest = basis.gather(0, basis.abs().argmax(dim=0, keepdim=True))
    return (basis * largest.sign()).to(snippets.dtype)


def in_basis(
    snippets: Float[torch.Tensor, "snippets samples channels"], basis: Float[torch.Tensor, "features rank"]
) -> Float[torch.Tensor, "snippets samples channels"]:
    """Snippets, their means taken off, projected on a basis (`fitted_basis`): each independent of all others."""
    if len(basis) != snippets.shape[1:].numel():
        raise DataError(
            f"a basis for {len(basis)} values and snippets of {snippets.shape[1:].numel()}",
            "the same number",
            "fit the basis on snippets of this length and number of channels",
        )
    return (_centred_rows(snippets) @ basis @ basis.T).reshape(snippets.shape)


def denoised(
    snippets: Float[torch.Tensor, "snippets samples channels"],
    svd: Literal["batch", "fixed_basis", "off"],
    basis: Float[torch.Tensor, "features rank"] | None = None,
) -> Float[torch.Tensor, "snippets samples channels"]:
    """Snippets denoised by the rule that a setting names.

    Parameters
    ----------
    snippets
        One batch.
    svd
        batch: as published (`in_batch`); fixed_basis: `in_basis`; off: unchanged.
    basis
        For fixed_basis.

    Raises
    ------
    ConfigError
        If the rule is none of these, or its basis is missing.
    DataError
        If the basis does not fit the snippets.
    """
    if svd == "off" or not len(snippets):
        return snippets
    if svd == "batch":
        return in_batch(snippets)
    if svd != "fixed_basis":
        raise ConfigError(f"svd is {svd!r}", "batch, fixed_basis or off", "choose one of them")
    if basis is None:
        raise ConfigError("svd is fixed_basis without a basis", "one", "fit it on training snippets (fitted_basis)")
    return in_basis(snippets, basis)
