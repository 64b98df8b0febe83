"""Coefficients of the low-rank form in 16 bits, with a step per component, and what that costs."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float32, Int16

from spikeline.simulation.bank.field_error import FieldError, per_tetrode

__all__ = ["quantisation_scale", "quantise", "rounding_error"]

_COLUMNS = 4096  # samples handled at once, so that a piece stays in the processor's cache or near it
_INT16 = 32767


def quantisation_scale(largest: Float[np.ndarray, " rank"]) -> Float32[np.ndarray, " rank"]:
    """Step of each component so that its largest absolute coefficient just fits 16 bits."""
    return np.where(largest > 0, largest / _INT16, 1.0).astype(np.float32)


def quantise(
    coefficients: Float[np.ndarray, "rank samples"], scale: Float[np.ndarray, " rank"]
) -> Int16[np.ndarray, "rank samples"]:
    """Nearest multiples of ``scale``."""
    return np.clip(np.rint(coefficients / scale[:, None]), -_INT16, _INT16).astype(np.int16)


def rounding_error(
    coefficients: Float32[np.ndarray, "rank samples"],
    scale: Float[np.ndarray, " rank"],
    basis: Float[np.ndarray, "segments rank"],
    field_matrix: Float[np.ndarray, "contacts segments"],
) -> FieldError:
    """What keeping coefficients in 16 bits adds to the error, measured on every sample.

    Parameters
    ----------
    coefficients
        As `LowRankBasis.compress` returned them.
    scale
        Step of each component.
    basis
        That of the coefficients.
    field_matrix
        uV per nA.
    """
    response = (field_matrix @ basis).astype(np.float32)
    # Of the summed current the largest possible value: no coefficient is off by more than half a step
    summed = float(np.abs(basis).sum(axis=0) @ scale) / 2
    largest, products = 0.0, np.zeros((len(scale), len(scale)))
    for start in range(0, coefficients.shape[1], _COLUMNS):
        piece = coefficients[:, start : start + _COLUMNS]
        off = quantise(piece, scale) * scale[:, None] - piece
        field = response @ off
        largest = max(largest, float(field.max()), -float(field.min()))
        products += off @ off.T
    energy = per_tetrode(np.clip(np.einsum("cr,rs,cs->c", response, products, response, optimize=True), 0, None))
    return FieldError(largest, energy, np.zeros_like(energy), summed)
