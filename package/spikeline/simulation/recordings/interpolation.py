"""Band-limited interpolation from the bank's sampling rate to a recording's, the same however the samples are cut."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numba
import numpy as np
from jaxtyping import Float32

from spikeline.errors import DataError

__all__ = ["Interpolator", "interpolate", "interpolation_table", "interpolator"]

# 32 taps under a Kaiser window of beta 8: measured ripple below 1e-3 up to 0.85 of the bank's Nyquist frequency.
_HALF_WIDTH = 16
_KAISER_BETA = 8.0
_MAXIMUM_PHASES = 4096


@dataclass(frozen=True)
class Interpolator:
    """How samples at one rate become samples at another.

    Parameters
    ----------
    up, down
        ``up / down`` output samples per input sample, in lowest terms.
    half
        Taps on each side of an output sample.
    table
        Weights, one row per phase; there are ``up`` phases and ``2 * half`` taps.
    """

    up: int
    down: int
    half: int
    table: Float32[np.ndarray, "{up} 2*{half}"]

    @property
    def is_identity(self) -> bool:
        """True where both rates are the same."""
        return self.up == self.down

    def input_span(self, start: int, stop: int) -> tuple[int, int]:
        """First and one-past-last input sample that output samples [start, stop) need."""
        if self.is_identity or start >= stop:
            return start, stop
        return start * self.down // self.up - self.half + 1, (stop - 1) * self.down // self.up + self.half + 1


def interpolation_table(
    phases: int, cutoff: float = 1.0, half_width: int = _HALF_WIDTH
) -> Float32[np.ndarray, "{phases} taps"]:
    """Windowed-sinc weights for ``phases`` positions between two samples.

    Parameters
    ----------
    phases
        Number of positions; row p interpolates at p / phases after a sample.
    cutoff
        Cut-off in units of the input's Nyquist frequency; below 1 where the rate is lowered.
    half_width
        Taps on each side at cut-off 1. 16 reach 0.85 of the Nyquist frequency, 6 half of it.

    Returns
    -------
    numpy.ndarray
        ``taps = 2 * half``; column j weights the sample at offset ``j - half + 1``. Rows sum to 1, and at cut-off 1
        row 0 takes exactly one sample, so interpolation keeps the samples it is given.
    """
    half = math.ceil(half_width / cutoff)
    offset = np.arange(-half + 1, half + 1)[None, :] - np.arange(phases)[:, None] / phases
    window = np.i0(_KAISER_BETA * np.sqrt(np.clip(1 - (offset / half) ** 2, 0, None))) / np.i0(_KAISER_BETA)
    weights = np.sinc(cutoff * offset) * window
    weights[np.abs(weights) < 1e-12] = 0
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def interpolator(input_rate_hz: float, output_rate_hz: float) -> Interpolator:
    """The interpolator between two sampling rates.

    Raises
    ------
    DataError
        If the rates have no ratio of small whole numbers.
    """
    ratio = Fraction(output_rate_hz).limit_denominator(10**6) / Fraction(input_rate_hz).limit_denominator(10**6)
    if max(ratio.numerator, ratio.denominator) > _MAXIMUM_PHASES:
        raise DataError(
            f"a recording at {output_rate_hz} Hz from a bank at {input_rate_hz} Hz",
            f"rates whose ratio is made of whole numbers up to {_MAXIMUM_PHASES}",
            "choose a rounder sampling_rate_hz, e.g. 10000, 24000 or 30000",
        )
    table = interpolation_table(ratio.numerator, min(1.0, float(ratio)))
    return Interpolator(ratio.numerator, ratio.denominator, table.shape[1] // 2, table)


@numba.njit(cache=True, nogil=True, fastmath={"contract"})
def _across_channels(source, first_source, out, first_out, up, down, half, table):
    for i in range(out.shape[0]):
        position = (first_out + i) * down
        base = position // up - half + 1 - first_source
        weights = table[position % up]
        row = out[i]
        row[:] = 0.0
        for j in range(2 * half):
            weight = weights[j]
            if weight != 0.0:
                sample = source[base + j]
                for c in range(row.shape[0]):
                    row[c] += weight * sample[c]


def interpolate(
    source: Float32[np.ndarray, "input_samples channels"], first_source: int, start: int, stop: int, plan: Interpolator
) -> Float32[np.ndarray, "{stop}-{start} channels"]:
    """Output samples [start, stop) from input samples that cover ``plan.input_span(start, stop)``.

    Parameters
    ----------
    source
        Input samples, the first of them input sample ``first_source``. Both clocks start together: output sample k
        lies at input position ``k * down / up``.
    first_source, start, stop
        Sample numbers on the two clocks.
    plan
        From `interpolator`.

    Returns
    -------
    numpy.ndarray
        The output samples.
    """
    if plan.is_identity:
        return source[start - first_source : stop - first_source]
    needed = plan.input_span(start, stop)
    if needed[0] < first_source or needed[1] > first_source + len(source):
        raise DataError(
            f"input samples [{first_source}, {first_source + len(source)})",
            f"samples [{needed[0]}, {needed[1]})",
            "pass a wider stretch",
        )
    out = np.empty((stop - start, source.shape[1]), np.float32)
    _across_channels(np.ascontiguousarray(source), first_source, out, start, plan.up, plan.down, plan.half, plan.table)
    return out
