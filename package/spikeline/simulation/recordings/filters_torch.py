"""`filters.filter_in_place` in torch, on any device: a recursion has no parallel form, a product of spectra has."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Float32
from scipy import fft

__all__ = ["filtered_from_rest"]


def filtered_from_rest(
    samples: Float32[torch.Tensor, "samples channels"], sections: Float[np.ndarray, "sections 6"], memory: int
) -> Float32[torch.Tensor, "samples channels"]:
    """Filter along time with second-order sections, starting from rest.

    Parameters
    ----------
    samples
        Any unit.
    sections
        As `scipy.signal.sosfilt` takes them.
    memory
        Samples after which the filter has forgotten what it saw. So many zeros are put behind, or the end would run
        into the beginning.
    """
    length = fft.next_fast_len(len(samples) + memory, real=True)
    turn = torch.arange(length // 2 + 1, device=samples.device, dtype=torch.float64) * (-2 * np.pi / length)
    late = torch.polar(torch.ones_like(turn), turn)  # double precision: the poles of pink noise are close to 1
    response = torch.ones_like(late)
    for b0, b1, b2, _, a1, a2 in sections.astype(np.float64).tolist():
        response = response * (b0 + late * (b1 + late * b2)) / (1 + late * (a1 + late * a2))
    spectrum = torch.fft.rfft(samples, n=length, dim=0) * response.to(torch.complex64)[:, None]
    return torch.fft.irfft(spectrum, n=length, dim=0)[: len(samples)]
