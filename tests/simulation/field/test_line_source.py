"""The line-source matrix against formulas, quadrature and LFPykit."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy.integrate import quad

from spikeline.errors import DataError
from spikeline.simulation.field.geometry import SegmentGeometry
from spikeline.simulation.field.line_source import line_source_matrix


def random_geometry(rng: np.random.Generator, n_segments: int = 40) -> SegmentGeometry:
    start = rng.uniform(-100, 100, (n_segments, 3))
    end = start + rng.normal(0, 15, (n_segments, 3))
    return SegmentGeometry(start, end, rng.uniform(0.3, 12, n_segments), np.arange(n_segments) == 0)


def one_segment(start: list[float], end: list[float], diameter: float = 1.0) -> SegmentGeometry:
    return SegmentGeometry(np.array([start], float), np.array([end], float), np.array([diameter]), np.array([True]))


@pytest.mark.parametrize("contact", [[12.0, 0, 3], [5, 4, -30], [0.7, 0, 80], [3, 3, 10], [0, 6, 20.0]])
def test_equals_integrated_point_sources(contact: list[float]) -> None:
    geometry = one_segment([0, 0, 0], [0, 0, 20])
    integral, _ = quad(lambda z: 1 / np.linalg.norm(np.array(contact) - [0, 0, z]), 0, 20, epsabs=1e-13, epsrel=1e-13)
    expected = 1000 / (4 * np.pi * 0.3 * 20) * integral
    np.testing.assert_allclose(line_source_matrix(geometry, np.array([contact], float))[0, 0], expected, rtol=1e-9)


def test_equals_closed_form_beside_the_middle() -> None:
    geometry = one_segment([-10, 0, 0], [10, 0, 0])
    expected = 1000 / (4 * np.pi * 0.3 * 20) * 2 * np.arcsinh(10 / 7)
    np.testing.assert_allclose(line_source_matrix(geometry, np.array([[0.0, 7, 0]])), [[expected]], rtol=1e-13)


def test_far_away_it_is_a_point_source() -> None:
    geometry = one_segment([0, 0, -1], [0, 0, 1])
    for direction in np.eye(3):
        value = line_source_matrix(geometry, 1e4 * direction[None])[0, 0]
        np.testing.assert_allclose(value, 1000 / (4 * np.pi * 0.3 * 1e4), rtol=1e-7)


def test_zero_length_segment_is_a_point_source() -> None:
    value = line_source_matrix(one_segment([1, 2, 3], [1, 2, 3], 4.0), np.array([[1.0, 2, 13], [1, 2, 3]]))
    np.testing.assert_allclose(value[:, 0], 1000 / (4 * np.pi * 0.3) / np.array([10.0, 2.0]), rtol=1e-14)


def test_equals_lfpykit_also_inside_segments(rng: np.random.Generator) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # importing LFPykit without NEURON or mpi4py warns
        lfpykit = pytest.importorskip("lfpykit")
    geometry = random_geometry(rng)
    middle = (geometry.start_um + geometry.end_um) / 2
    contacts = np.concatenate([rng.uniform(-120, 120, (60, 3)), middle + 0.05, geometry.end_um + 0.1])
    cell = lfpykit.CellGeometry(
        *(np.stack([geometry.start_um[:, k], geometry.end_um[:, k]], axis=1) for k in range(3)), d=geometry.diameter_um
    )
    electrode = lfpykit.RecExtElectrode(
        cell, sigma=0.3, x=contacts[:, 0], y=contacts[:, 1], z=contacts[:, 2], method="linesource"
    )
    expected = 1000 * electrode.get_transformation_matrix()
    np.testing.assert_allclose(line_source_matrix(geometry, contacts), expected, rtol=1e-6)


def test_moving_cell_and_contacts_together_changes_nothing(rng: np.random.Generator) -> None:
    geometry, contacts = random_geometry(rng), rng.uniform(-120, 120, (10, 3))
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    shift = rng.normal(0, 50, 3)
    before = line_source_matrix(geometry, contacts)
    after = line_source_matrix(geometry.moved(rotation, shift), contacts @ rotation.T + shift)
    np.testing.assert_allclose(after, before, rtol=1e-9)


def test_direction_and_splitting_do_not_matter(rng: np.random.Generator) -> None:
    geometry, contacts = random_geometry(rng), rng.uniform(200, 300, (10, 3))
    turned = SegmentGeometry(geometry.end_um, geometry.start_um, geometry.diameter_um, geometry.is_soma)
    whole = line_source_matrix(geometry, contacts)
    np.testing.assert_allclose(line_source_matrix(turned, contacts), whole, rtol=1e-10)
    middle = (geometry.start_um + geometry.end_um) / 2
    halves = [
        SegmentGeometry(geometry.start_um, middle, geometry.diameter_um, geometry.is_soma),
        SegmentGeometry(middle, geometry.end_um, geometry.diameter_um, geometry.is_soma),
    ]
    np.testing.assert_allclose(sum(line_source_matrix(h, contacts) for h in halves) / 2, whole, rtol=1e-9)


def test_conductivity_divides(rng: np.random.Generator) -> None:
    geometry, contacts = random_geometry(rng), rng.uniform(-120, 120, (5, 3))
    np.testing.assert_allclose(
        line_source_matrix(geometry, contacts, 0.6) * 2, line_source_matrix(geometry, contacts, 0.3)
    )


@pytest.mark.wrong_arrays
@pytest.mark.parametrize("contacts", [np.zeros((4, 2)), np.zeros(3), np.array([[0.0, np.nan, 0]])])
def test_bad_contacts_are_refused(rng: np.random.Generator, contacts: np.ndarray) -> None:
    with pytest.raises(DataError, match="contacts"):
        line_source_matrix(random_geometry(rng), contacts)


@pytest.mark.parametrize("conductivity", [0.0, -1.0, np.nan])
def test_bad_conductivity_is_refused(rng: np.random.Generator, conductivity: float) -> None:
    with pytest.raises(DataError, match="conductivity"):
        line_source_matrix(random_geometry(rng), np.zeros((1, 3)), conductivity)
