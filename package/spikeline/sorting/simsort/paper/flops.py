"""What a detector costs per sample of a recording."""

from __future__ import annotations

import copy

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

__all__ = ["flops_per_sample"]


def flops_per_sample(module: nn.Module, channels: int, samples: int) -> float:
    """Floating-point operations of one forward pass over one window, per sample.

    Two for each multiply-add of matrix products, convolutions and attention; element-wise work (normalisation, softmax,
    activations) is not counted, by the convention of torch's counter. Nothing is computed: shapes alone are passed
    through a copy of the module.

    Parameters
    ----------
    module
        Takes windows (batch, samples, channels).
    channels, samples
        Of the window; the cost of attention grows with its length.
    """
    shape_only = copy.deepcopy(module).to("meta").eval()
    counter = FlopCounterMode(display=False)
    was_fast = torch.backends.mha.get_fastpath_enabled()
    # The counter knows neither the fused encoder layer nor the CPU's fused attention.
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), counter:
            shape_only(torch.empty((1, samples, channels), device="meta"))
    finally:
        torch.backends.mha.set_fastpath_enabled(was_fast)
    return counter.get_total_flops() / samples
