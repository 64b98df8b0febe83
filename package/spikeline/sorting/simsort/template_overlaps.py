"""How much templates are like each other at every distance in time: only of those that share channels."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numba
import numpy as np
from jaxtyping import Float32, Int64

__all__ = ["UPSAMPLING", "Overlaps", "overlaps_with", "template_overlaps"]

UPSAMPLING = 8
_AT_ONCE = 256  # pairs; their interpolated spectra take 8 MB


@dataclass(frozen=True)
class Overlaps:
    """Inner products of templates at lags -window .. window in steps of 1/`UPSAMPLING`.

    Parameters
    ----------
    units, others
        Pairs that share a channel, each unit with itself too; rising. Others have no overlap.
    starts
        Where the pairs of each unit begin, and the number of all last.
    rows
        How much the product of the other's template rises at a time ``lag`` after a spike of the unit.
    """

    units: Int64[np.ndarray, " pairs"]
    others: Int64[np.ndarray, " pairs"]
    starts: Int64[np.ndarray, " units_and_one"]
    rows: Float32[np.ndarray, "pairs lags"]


def template_overlaps(
    channels: Int64[np.ndarray, "units chosen"], waveforms: Float32[np.ndarray, "units chosen window"]
) -> Overlaps:
    """Overlaps of all templates that share channels.

    Parameters
    ----------
    channels
        Of each template, rising.
    waveforms
        On those channels; on others it is 0.
    """
    member = np.zeros((len(channels), int(channels.max(initial=-1)) + 1), np.float32)
    np.put_along_axis(member, channels, 1, axis=1)
    units, others = np.nonzero(member @ member.T)
    starts = np.searchsorted(units, np.arange(len(channels) + 1))
    return Overlaps(units, others, starts, _rows(channels, waveforms, units, others))


def overlaps_with(
    overlaps: Overlaps,
    channels: Int64[np.ndarray, "units chosen"],
    waveforms: Float32[np.ndarray, "units chosen window"],
    changed: Int64[np.ndarray, " _"],
) -> Overlaps:
    """Overlaps after the waveforms of some units have changed: only pairs with one of these are computed anew.

    Parameters
    ----------
    channels
        As before.
    waveforms
        Of all units.
    changed
        The units whose waveforms are not those of ``overlaps``.
    """
    units, others, rows = overlaps.units, overlaps.others, overlaps.rows.copy()
    other = np.zeros(len(channels), bool)
    other[changed] = True
    new = np.flatnonzero(other[units] | other[others])
    rows[new] = _rows(channels, waveforms, units[new], others[new])
    return Overlaps(units, others, overlaps.starts, rows)


def _rows(channels: np.ndarray, waveforms: np.ndarray, units: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(pairs, lags) overlaps of these pairs."""
    window = waveforms.shape[2]
    length = 1 << math.ceil(math.log2(4 * window))
    needed = np.unique(others)  # each pair is there both ways round
    spectra = np.empty((*waveforms.shape[:2], length // 2 + 1), complex)
    spectra[needed] = np.fft.rfft(waveforms[needed].astype(np.float64), length, axis=-1)
    reach = window * UPSAMPLING
    rows = np.empty((len(units), 2 * reach + 1), np.float32)
    for start in range(0, len(units), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        cross = _cross_spectra(spectra, channels, units[part], others[part])
        cross[:, -1] /= 2
        full = np.zeros((len(cross), length * UPSAMPLING // 2 + 1), complex)
        full[:, : cross.shape[1]] = cross
        lags = np.fft.irfft(full, length * UPSAMPLING, axis=-1) * UPSAMPLING
        rows[part, :reach], rows[part, reach:] = lags[:, -reach:], lags[:, : reach + 1]
    return rows


@numba.njit(cache=True, nogil=True)
def _cross_spectra(spectra, channels, units, others):
    """(pairs, frequencies) cross spectra, summed over the channels that both have, in rising order."""
    n_chosen, n_frequencies = spectra.shape[1:]
    out = np.zeros((len(units), n_frequencies), np.complex128)
    for pair in range(len(units)):
        k, j = units[pair], others[pair]
        a, b = 0, 0
        while a < n_chosen and b < n_chosen:
            if channels[j, a] < channels[k, b]:
                a += 1
            elif channels[j, a] > channels[k, b]:
                b += 1
            else:
                for f in range(n_frequencies):
                    out[pair, f] += spectra[j, a, f].conjugate() * spectra[k, b, f]
                a += 1
                b += 1
    return out
