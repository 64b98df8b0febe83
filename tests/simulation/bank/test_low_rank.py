"""Low-rank compression: the measured error is the true one, the tolerances hold, the bound is a bound."""

from __future__ import annotations

import numpy as np
import pytest

from spikeline.errors import NumericalError
from spikeline.simulation.bank.field_error import field_error
from spikeline.simulation.bank.low_rank import LowRankBasis
from spikeline.simulation.bank.reference_contacts import reference_contacts
from spikeline.simulation.field.geometry import SegmentGeometry
from spikeline.simulation.field.line_source import line_source_matrix


def slow_and_spiking(n_segments: int, n_samples: int, rank: int, generator: np.random.Generator) -> np.ndarray:
    """Currents whose components fall off by a decade each, with rare large events, float32."""
    spatial = np.linalg.qr(generator.standard_normal((n_segments, rank)))[0]
    temporal = generator.standard_normal((rank, n_samples)) * (1 + 20 * (generator.random(n_samples) < 0.002))
    return ((spatial * 10.0 ** -np.arange(rank)) @ temporal).astype(np.float32)


def tetrode_percent(matrix: np.ndarray, currents: np.ndarray, residual: np.ndarray) -> np.ndarray:
    """Relative RMS error of each tetrode, by the plain formula."""
    lost, whole = (
        np.linalg.norm((matrix @ flow).reshape(len(matrix) // 4, -1), axis=1)
        for flow in (residual, currents.astype(np.float64))
    )
    return 100 * lost / whole


def test_the_measured_error_is_that_of_the_plain_formula(geometry: SegmentGeometry, rng: np.random.Generator) -> None:
    matrix = line_source_matrix(geometry, reference_contacts(geometry, 20.0))
    low_rank = LowRankBasis(matrix, 0.5, 0.5)
    for length in (9000, 4096, 100):
        currents = slow_and_spiking(geometry.n_segments, length, 8, rng)
        coefficients, error = low_rank.compress(currents)
        residual = currents.astype(np.float64) - low_rank.basis.astype(np.float64) @ coefficients
        plain = field_error(matrix, residual)
        assert error.max_error_uv == pytest.approx(plain.max_error_uv, rel=1e-3)
        assert error.residual_na == pytest.approx(plain.residual_na, rel=1e-3)
        np.testing.assert_allclose(error.error_energy, plain.error_energy, rtol=1e-2)
        assert error.rms_percent == pytest.approx(tetrode_percent(matrix, currents, residual).max(), rel=1e-2)
        assert error.max_error_uv <= 0.5
        assert error.rms_percent <= 0.5


def test_a_basis_that_grows_a_little_measures_as_one_that_starts_anew(
    geometry: SegmentGeometry, rng: np.random.Generator
) -> None:
    """Only the new components are projected on; what that gives is compared with a whole pass on the grown basis."""
    matrix = line_source_matrix(geometry, reference_contacts(geometry, 20.0))
    currents = slow_and_spiking(geometry.n_segments, 5000, 12, rng)
    low_rank = LowRankBasis(matrix, 0.5, 0.5)
    low_rank.compress(currents)
    before = low_rank.rank
    tight = LowRankBasis(matrix, 0.02, 0.02, low_rank.basis)
    coefficients, error = tight.compress(currents)
    assert tight.rank > before
    again, whole = LowRankBasis(matrix, 0.02, 0.02, tight.basis).compress(currents)
    np.testing.assert_allclose(coefficients, again, atol=1e-6 * np.abs(again).max())
    # single precision: fields of thousands of uV leave some 1e-5 uV of rounding in a residual of 0.01 uV
    assert error.error_energy.sum() == pytest.approx(whole.error_energy.sum(), rel=1e-2)
    np.testing.assert_allclose(np.sqrt(error.error_energy), np.sqrt(whole.error_energy), rtol=2e-2)
    assert error.max_error_uv == pytest.approx(whole.max_error_uv, rel=1e-2)
    assert error.residual_na == pytest.approx(whole.residual_na, rel=1e-2)


def test_the_rank_is_far_below_the_number_of_segments(geometry: SegmentGeometry, rng: np.random.Generator) -> None:
    low_rank = LowRankBasis(line_source_matrix(geometry, reference_contacts(geometry, 20.0)), 0.5, 0.5)
    low_rank.compress(slow_and_spiking(geometry.n_segments, 5000, 12, rng))
    assert 2 <= low_rank.rank <= 8


def test_the_basis_stays_orthonormal_and_keeps_its_first_columns(
    geometry: SegmentGeometry, rng: np.random.Generator
) -> None:
    low_rank = LowRankBasis(line_source_matrix(geometry, reference_contacts(geometry, 20.0)), 0.2, 0.2)
    seen = []
    for _ in range(4):
        low_rank.compress(slow_and_spiking(geometry.n_segments, 1000, 5, rng))  # other directions each time
        seen.append(low_rank.basis)
    assert seen[-1].shape[1] > seen[0].shape[1]
    for basis in seen:
        np.testing.assert_array_equal(basis, seen[-1][:, : basis.shape[1]])
    np.testing.assert_allclose(seen[-1].T @ seen[-1], np.eye(low_rank.rank), atol=1e-6)


def test_a_basis_from_the_disk_goes_on_as_the_one_in_memory(
    geometry: SegmentGeometry, rng: np.random.Generator
) -> None:
    matrix = line_source_matrix(geometry, reference_contacts(geometry, 20.0))
    slices = [slow_and_spiking(geometry.n_segments, 1000, 5, rng) for _ in range(3)]
    whole = LowRankBasis(matrix, 0.2, 0.2)
    for currents in slices:
        last = whole.compress(currents)[0]
    first = LowRankBasis(matrix, 0.2, 0.2)
    first.compress(slices[0])
    resumed = LowRankBasis(matrix, 0.2, 0.2, first.basis.copy())
    resumed.compress(slices[1])
    np.testing.assert_array_equal(resumed.compress(slices[2])[0], last)
    np.testing.assert_array_equal(resumed.basis, whole.basis)


def test_the_bound_holds_for_any_contact_that_far_from_every_segment(
    geometry: SegmentGeometry, rng: np.random.Generator
) -> None:
    currents = slow_and_spiking(geometry.n_segments, 3000, 8, rng)
    low_rank = LowRankBasis(line_source_matrix(geometry, reference_contacts(geometry, 20.0)), 0.5, 0.5)
    coefficients, error = low_rank.compress(currents)
    contacts = rng.uniform(-400, 400, (4000, 3))
    steps = np.linspace(0, 1, 21)[:, None, None]
    along = geometry.start_um + steps * (geometry.end_um - geometry.start_um)
    distance = np.array([np.linalg.norm(along - contact, axis=2).min() for contact in contacts])
    far = contacts[distance >= 20.0]
    worst = np.abs(line_source_matrix(geometry, far) @ (currents - low_rank.basis @ coefficients)).max()
    assert 0 < worst <= error.residual_na * 1e3 / (4 * np.pi * 0.3 * 20.0)


def test_tetrodes_that_were_not_asked_hold_the_tolerances_too(
    geometry: SegmentGeometry, rng: np.random.Generator
) -> None:
    """Pooled over tetrodes the error was four times smaller than at a quiet one beside a dendrite."""
    currents = slow_and_spiking(geometry.n_segments, 3000, 12, rng)
    low_rank = LowRankBasis(line_source_matrix(geometry, reference_contacts(geometry, 20.0)), 0.5, 0.5)
    coefficients = low_rank.compress(currents)[0].astype(np.float64)
    residual = currents - low_rank.basis @ coefficients
    square = np.array([[-1, -1, 0], [-1, 1, 0], [1, 1, 0], [1, -1, 0]]) * 6.5
    middles = (geometry.start_um + geometry.end_um) / 2
    beside = middles[rng.integers(len(middles), size=400)] + 20 * rng.standard_normal((400, 3))
    tetrodes = beside[:, None] + square
    tetrodes = tetrodes[np.linalg.norm(tetrodes, axis=2).min(axis=1) >= 20]
    assert len(tetrodes) > 200
    matrix = line_source_matrix(geometry, tetrodes.reshape(-1, 3))
    assert tetrode_percent(matrix, currents, residual).max() <= 0.5
    assert np.abs(matrix @ residual).max() <= 0.5


def test_silence_needs_no_basis(geometry: SegmentGeometry) -> None:
    low_rank = LowRankBasis(line_source_matrix(geometry, reference_contacts(geometry, 20.0)), 0.5, 0.5)
    coefficients, error = low_rank.compress(np.zeros((geometry.n_segments, 100), np.float32))
    assert coefficients.shape == (0, 100)
    assert (error.max_error_uv, error.rms_percent, error.residual_na) == (0, 0, 0)


def test_a_tolerance_out_of_reach_is_an_error(geometry: SegmentGeometry, rng: np.random.Generator) -> None:
    low_rank = LowRankBasis(line_source_matrix(geometry, reference_contacts(geometry, 20.0)), 1e-12, 1e-12)
    with pytest.raises(NumericalError, match="at rank 31 of 31"):
        low_rank.compress(slow_and_spiking(geometry.n_segments, 200, 10, rng))
