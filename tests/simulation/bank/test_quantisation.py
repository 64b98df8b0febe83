"""16-bit coefficients: what rounding costs is measured, the range is used."""

from __future__ import annotations

import numpy as np
import pytest

from spikeline.simulation.bank.field_error import field_error
from spikeline.simulation.bank.quantisation import quantisation_scale, quantise, rounding_error
from spikeline.simulation.bank.reference_contacts import reference_contacts
from spikeline.simulation.field.geometry import SegmentGeometry
from spikeline.simulation.field.line_source import line_source_matrix


def test_rounding_is_measured(geometry: SegmentGeometry, rng: np.random.Generator) -> None:
    matrix = line_source_matrix(geometry, reference_contacts(geometry, 20.0))
    basis = np.linalg.qr(rng.standard_normal((geometry.n_segments, 4)))[0].astype(np.float32)
    coefficients = (rng.standard_normal((4, 9000)) * [[100], [10], [1], [0.1]]).astype(np.float32)
    scale = quantisation_scale(np.abs(coefficients).max(axis=1))
    off = basis @ (quantise(coefficients, scale) * scale[:, None] - coefficients)
    plain, measured = field_error(matrix, off), rounding_error(coefficients, scale, basis, matrix)
    assert measured.max_error_uv == pytest.approx(plain.max_error_uv, rel=1e-3)
    np.testing.assert_allclose(measured.error_energy, plain.error_energy, rtol=1e-3)
    assert plain.residual_na <= measured.residual_na <= 5 * plain.residual_na


def test_quantisation_uses_the_whole_range_and_survives_silence() -> None:
    coefficients = np.array([[-2.0, 0.5, 2.0], [0, 0, 0]], np.float32)
    scale = quantisation_scale(np.abs(coefficients).max(axis=1))
    np.testing.assert_array_equal(quantise(coefficients, scale), [[-32767, 8192, 32767], [0, 0, 0]])
    assert np.abs(quantise(coefficients, scale) * scale[:, None] - coefficients).max() <= scale[0] / 2
