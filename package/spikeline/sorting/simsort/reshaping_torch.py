"""`reshaping.reshaped` in torch, on any device."""

from __future__ import annotations

import cmath

import torch
from jaxtyping import Float32
from scipy import fft

__all__ = ["reshaped_on"]


def reshaped_on(
    traces: Float32[torch.Tensor, "samples channels"], stretch: float, phase_rad: float
) -> Float32[torch.Tensor, "_ channels"]:
    """Traces played faster or slower, all frequencies turned by one phase."""
    n = len(traces)
    wanted = max(1, round(stretch * n))
    if wanted == n and phase_rad == 0:
        return traces
    length = fft.next_fast_len(n, real=True)
    spectrum = torch.fft.rfft(traces, n=length, dim=0)
    spectrum[1:] *= cmath.exp(1j * phase_rad)
    longer = max(2, round(stretch * length))
    return (torch.fft.irfft(spectrum, n=longer, dim=0) * (longer / length))[:wanted]
