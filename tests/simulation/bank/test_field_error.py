"""What errors of stretches and of steps add up to."""

from __future__ import annotations

import numpy as np
import pytest

from spikeline.simulation.bank.field_error import FieldError, field_error


@pytest.fixture
def potentials(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A signal and two errors at three tetrodes, the last tetrode a hundred times quieter than the others."""
    size = np.repeat([1.0, 1.0, 0.01], 4)[:, None]
    signal, first, second = (size * rng.standard_normal((12, 500)) for _ in range(3))
    return signal, 0.01 * first, 0.01 * second


def test_the_worst_tetrode_counts(potentials: tuple[np.ndarray, ...]) -> None:
    signal, first, _ = potentials
    first[8:] *= 5
    error = field_error(np.eye(12), first, field_error(np.eye(12), signal).error_energy)
    assert error.rms_percent == pytest.approx(100 * np.linalg.norm(first[8:]) / np.linalg.norm(signal[8:]))
    assert error.rms_percent > 4 * 100 * np.linalg.norm(first) / np.linalg.norm(signal)


def test_two_stretches_join_to_the_whole(potentials: tuple[np.ndarray, ...]) -> None:
    signal, first, _ = potentials
    measured = [
        field_error(np.eye(12), first[:, part], field_error(np.eye(12), signal[:, part]).error_energy)
        for part in (slice(0, 200), slice(200, 500), slice(0, 500))
    ]
    joined, whole = FieldError().joined(measured[0]).joined(measured[1]), measured[2]
    assert joined.max_error_uv == whole.max_error_uv
    assert joined.residual_na == whole.residual_na
    assert joined.rms_percent == pytest.approx(whole.rms_percent)


def test_a_second_error_on_top_stays_under_the_bound(potentials: tuple[np.ndarray, ...]) -> None:
    signal, first, second = potentials
    energy = field_error(np.eye(12), signal).error_energy
    bound = field_error(np.eye(12), first, energy).increased(field_error(np.eye(12), second))
    both = field_error(np.eye(12), first + second, energy)
    assert both.max_error_uv <= bound.max_error_uv
    assert both.residual_na <= bound.residual_na
    assert both.rms_percent <= bound.rms_percent <= 2 * both.rms_percent


def test_an_error_where_there_is_no_signal_is_not_hidden() -> None:
    assert FieldError(1.0, np.array([0.0, 1.0]), np.array([1.0, 0.0])).rms_percent == np.inf
    assert FieldError().rms_percent == 0


def test_arrays_read_back(potentials: tuple[np.ndarray, ...]) -> None:
    error = field_error(np.eye(12), potentials[1])
    again = FieldError.from_arrays(error.arrays())
    assert set(error.arrays()) == set(FieldError.array_names())
    assert again.max_error_uv == error.max_error_uv
    np.testing.assert_array_equal(again.error_energy, error.error_energy)
