"""Templates on the few channels where they are, and their products with traces."""

from __future__ import annotations

import numba
import numpy as np
from jaxtyping import Float, Float32, Int64

from spikeline.sorting.simsort.template_overlaps import Overlaps, overlaps_with, template_overlaps

__all__ = ["TemplateBank"]

_TILE = 256  # samples: with their surroundings on 16 channels they stay in the fastest cache


class TemplateBank:
    """Templates and what matching needs to know of them.

    Parameters
    ----------
    channels
        On which each template is, rising.
    waveforms
        Whitened mean spikes on these channels, each with its peak at sample ``before``.
    before
        Samples before the peak.
    log_odds
        Logarithm of the odds against a spike of each unit at a given sample.
    overlaps
        Of these templates, if they are known.
    """

    def __init__(
        self,
        channels: Int64[np.ndarray, "units chosen"],
        waveforms: Float32[np.ndarray, "units chosen window"],
        before: int,
        log_odds: Float[np.ndarray, " units"],
        overlaps: Overlaps | None = None,
    ) -> None:
        self.channels = np.ascontiguousarray(channels)
        self.waveforms = np.ascontiguousarray(waveforms)
        self.before = before
        self.energy = np.einsum("kcw,kcw->k", self.waveforms, self.waveforms, dtype=np.float64).astype(np.float32)
        self.log_odds = np.asarray(log_odds, np.float32)
        self.overlaps = template_overlaps(self.channels, self.waveforms) if overlaps is None else overlaps

    def with_waveforms(
        self, units: Int64[np.ndarray, " some"], waveforms: Float32[np.ndarray, "some chosen window"]
    ) -> TemplateBank:
        """The bank with other waveforms of some units, on the same channels."""
        new = self.waveforms.copy()
        new[units] = waveforms
        overlaps = overlaps_with(self.overlaps, self.channels, new, units)
        return TemplateBank(self.channels, new, self.before, self.log_odds, overlaps)

    def products(self, traces: Float32[np.ndarray, "samples channels"]) -> Float32[np.ndarray, "units samples"]:
        """Inner products of every template with the samples around every sample; beyond the ends there are zeros."""
        window = self.waveforms.shape[2]
        padded = np.zeros((traces.shape[1], len(traces) + window - 1), np.float32)
        padded[:, self.before : self.before + len(traces)] = traces.T
        if self.channels.shape[1] == traces.shape[1]:
            return _products_on_all_channels(padded, self.waveforms)
        return _products(padded, self.channels, self.waveforms)


def _products_on_all_channels(padded: np.ndarray, waveforms: np.ndarray) -> np.ndarray:
    """Of few channels: one convolution with all templates together takes half the time of one by one."""
    import torch

    with torch.inference_mode():
        out = torch.nn.functional.conv1d(torch.from_numpy(padded)[None], torch.from_numpy(waveforms))
    return out[0].numpy()


# Multiplications may be fused with additions, but nothing is reordered: a sample's product is the same in every block
@numba.njit(cache=True, nogil=True, fastmath={"contract"})
def _products(padded, channels, waveforms):
    n_units, n_chosen, window = waveforms.shape
    out = np.zeros((n_units, padded.shape[1] - window + 1), np.float32)
    for k in range(n_units):
        for start in range(0, out.shape[1], _TILE):
            part = out[k, start : start + _TILE]
            for w in range(window):
                for c in range(n_chosen):
                    value = waveforms[k, c, w]
                    seen = padded[channels[k, c], start + w : start + w + len(part)]
                    for t in range(len(part)):
                        part[t] += value * seen[t]
    return out
