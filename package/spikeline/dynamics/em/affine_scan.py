"""x_t = F_t x_(t-1) + b_t for many sequences at once, one step after the other or in log T rounds."""

from __future__ import annotations

import torch
from jaxtyping import Float

__all__ = ["associative", "sequential"]


def sequential(
    factors: Float[torch.Tensor, "K s n n"], offsets: Float[torch.Tensor, "K T c n"]
) -> Float[torch.Tensor, "K T c n"]:
    """All x_t with x_(-1) = 0, step by step: T products of small matrices, each over all sequences.

    Parameters
    ----------
    factors
        F_t, shared by the sequences of a component. If s < T, the later ones are like the last.
    offsets
        b_t, of each sequence; becomes the result.
    """
    last = factors.shape[1] - 1
    turned = factors.transpose(2, 3).contiguous()
    for t in range(1, offsets.shape[1]):
        offsets[:, t].baddbmm_(offsets[:, t - 1], turned[:, min(t, last)])
    return offsets


def associative(
    factors: Float[torch.Tensor, "K s n n"], offsets: Float[torch.Tensor, "K T c n"]
) -> Float[torch.Tensor, "K T c n"]:
    """The same by an associative scan: pairs of steps are joined, (F, b) then (F', b') being (F' F, F' b + b').

    The joined steps are half as many, and are solved in the same way; what lies between two of them is one step more.
    2 log2 T rounds of large products: about twice the arithmetic of `sequential`, and far fewer operations to
    start. That pays for long trajectories of which there are few: an E-step on 2 of 20 000 steps takes 0.09 s on one
    core, and 0.31 s with `sequential`; on 50 of 2000 steps, or 1000 of 200, both take as long.
    """
    steps = offsets.shape[1]
    if factors.shape[1] < steps:
        rest = factors[:, -1:].expand(-1, steps - factors.shape[1], -1, -1)
        factors = torch.cat([factors, rest], dim=1)
    return _scan(factors, offsets)


def _scan(factors: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    steps = offsets.shape[1]
    if steps == 1:
        return offsets
    first, second = slice(0, steps - 1, 2), slice(1, None, 2)
    later = factors[:, second]
    joined = _scan(later @ factors[:, first], offsets[:, first] @ later.transpose(2, 3) + offsets[:, second])
    result = torch.empty_like(offsets)
    result[:, second] = joined
    result[:, 0] = offsets[:, 0]
    between = slice(2, None, 2)
    n_between = (steps - 1) // 2
    result[:, between] = joined[:, :n_between] @ factors[:, between].transpose(2, 3) + offsets[:, between]
    return result
