"""Where units lie, how they are turned, and what they look like from there."""

from __future__ import annotations

import numpy as np
import pytest

from spikeline.config.recordings import PlacementSettings, ProbeSettings
from spikeline.errors import DataError
from spikeline.simulation.field.line_source import line_source_matrix
from spikeline.simulation.recordings.placement import (
    BACKGROUND_DISTANCE_UM,
    _largest_amplitude,
    draw_position,
    draw_positions,
    draw_rotation,
    draw_rotations,
    mean_spike,
    place_background,
    place_unit,
    projection,
    projection_table,
)  # fmt: skip
from spikeline.simulation.recordings.probes import contact_positions, make_probe
from tests.simulation.recordings_fixtures import make_entry

TETRODE = contact_positions(make_probe(ProbeSettings()))


@pytest.mark.parametrize("kind", ["uniform", "upright", "fixed"])
def test_rotations_are_rotations(kind: str, rng: np.random.Generator) -> None:
    for _ in range(50):
        rotation = draw_rotation(kind, rng)
        np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
        np.testing.assert_allclose(np.linalg.det(rotation), 1, atol=1e-12)


@pytest.mark.parametrize("kind", ["uniform", "upright", "fixed"])
def test_many_rotations_at_once(kind: str, rng: np.random.Generator) -> None:
    rotations = draw_rotations(kind, 300, rng)
    assert rotations.shape == (300, 3, 3)
    np.testing.assert_allclose(
        rotations @ rotations.transpose(0, 2, 1), np.broadcast_to(np.eye(3), (300, 3, 3)), atol=1e-12
    )
    np.testing.assert_allclose(np.linalg.det(rotations), 1, atol=1e-12)
    if kind == "upright":
        assert np.rad2deg(np.arccos(rotations[:, 1, 1])).max() <= 15


def test_uniform_rotations_are_uniform(rng: np.random.Generator) -> None:
    rotations = np.stack([draw_rotation("uniform", rng) for _ in range(4000)])
    # every axis goes everywhere: mean 0, covariance 1/3, and the angle's density is (1 - cos) / pi
    np.testing.assert_allclose(rotations.mean(axis=0), 0, atol=0.04)
    np.testing.assert_allclose((rotations**2).mean(axis=0), 1 / 3, atol=0.03)
    angle = np.arccos(np.clip((np.trace(rotations, axis1=1, axis2=2) - 1) / 2, -1, 1))
    np.testing.assert_allclose(angle.mean(), np.pi / 2 + 2 / np.pi, atol=0.03)


def test_upright_cells_tilt_at_most_15_degrees(rng: np.random.Generator) -> None:
    up = np.stack([draw_rotation("upright", rng)[:, 1] for _ in range(500)])
    tilt = np.rad2deg(np.arccos(up[:, 1]))
    assert 10 < tilt.max() <= 15
    np.testing.assert_allclose(up[:, [0, 2]].mean(axis=0), 0, atol=0.03)


def test_positions_keep_their_distances(rng: np.random.Generator) -> None:
    taken = np.zeros((0, 3))
    for _ in range(15):
        position = draw_position(TETRODE, (20.0, 60.0), rng, taken, 15.0)
        assert 20 <= np.linalg.norm(TETRODE - position, axis=1).min() <= 60
        assert len(taken) == 0 or np.linalg.norm(taken - position, axis=1).min() >= 15
        taken = np.vstack([taken, position])


def test_many_positions_at_once_fill_the_volume(rng: np.random.Generator) -> None:
    taken = np.array([[40.0, 0.0, 0.0]])
    drawn = np.concatenate([draw_positions(TETRODE, (20.0, 60.0), rng, taken, 15.0) for _ in range(200)])
    nearest = np.linalg.norm(drawn[:, None] - TETRODE, axis=2).min(axis=1)
    assert nearest.min() >= 20 and nearest.max() <= 60
    assert np.linalg.norm(drawn - taken, axis=1).min() >= 15
    # even over the volume: as many within 40 um as a plain rejection of far more points finds
    points = rng.uniform(-100, 100, (400_000, 3)) + TETRODE.mean(axis=0)
    distance = np.linalg.norm(points[:, None] - TETRODE, axis=2).min(axis=1)
    allowed = (distance >= 20) & (distance <= 60) & (np.linalg.norm(points - taken, axis=1) >= 15)
    np.testing.assert_allclose((nearest < 40).mean(), (distance[allowed] < 40).mean(), atol=0.02)


def test_a_try_sees_what_the_placed_cell_shows(rng: np.random.Generator) -> None:
    entry = make_entry()
    spike = mean_spike(entry)
    positions = draw_positions(TETRODE, (20.0, 60.0), rng)[:9]
    rotations = draw_rotations("uniform", len(positions), rng)
    tried = _largest_amplitude(entry, spike, positions, rotations, TETRODE, 60.0, 0.3)
    placed = [
        np.ptp(projection(entry, r, p, TETRODE) @ spike, axis=1).max()
        for r, p in zip(rotations, positions, strict=True)
    ]
    np.testing.assert_allclose(tried, placed, rtol=1e-9)


def test_positions_at_one_distance(rng: np.random.Generator) -> None:
    position = draw_position(TETRODE, (30.0, 30.0), rng)
    np.testing.assert_allclose(np.linalg.norm(TETRODE - position, axis=1).min(), 30, rtol=1e-6)


def test_no_room_is_an_error(rng: np.random.Generator) -> None:
    with pytest.raises(DataError, match="no room"):
        draw_position(TETRODE, (20.0, 25.0), rng, np.zeros((1, 3)), 200.0)


def test_background_is_far(rng: np.random.Generator) -> None:
    for _ in range(20):
        nearest = np.linalg.norm(TETRODE - place_background(TETRODE, "uniform", rng).position_um, axis=1).min()
        assert BACKGROUND_DISTANCE_UM[0] <= nearest <= BACKGROUND_DISTANCE_UM[1]


def test_placement_has_the_asked_amplitude(rng: np.random.Generator) -> None:
    placement, _ = place_unit(
        make_entry(), TETRODE, PlacementSettings(minimum_amplitude_uv=60.0), rng, np.zeros((0, 3))
    )
    assert placement.peak_to_peak_uv >= 60
    assert np.ptp(placement.spike_uv[placement.best_channel]) == placement.peak_to_peak_uv


def test_hopeless_placement_says_how_far_it_came(rng: np.random.Generator) -> None:
    placement, largest = place_unit(
        make_entry(amplitude_na=0.1), TETRODE, PlacementSettings(minimum_amplitude_uv=500.0), rng, np.zeros((0, 3))
    )
    assert placement is None
    assert 0 < largest < 500


def test_projection_is_the_line_source_of_the_moved_cell(rng: np.random.Generator) -> None:
    entry, rotation, position = make_entry(duration_s=0.5), draw_rotation("uniform", rng), np.array([10.0, 30.0, -20.0])
    direct = line_source_matrix(entry.geometry.moved(rotation, position), TETRODE) @ entry.currents()
    np.testing.assert_allclose(projection(entry, rotation, position, TETRODE) @ entry.components(), direct, atol=1e-4)


def test_moving_cell_and_probe_together_changes_nothing(rng: np.random.Generator) -> None:
    entry, rotation, position = make_entry(duration_s=0.5), draw_rotation("uniform", rng), np.array([10.0, 30.0, -20.0])
    turn, shift = draw_rotation("uniform", rng), rng.normal(0, 100, 3)
    moved = projection(entry, turn @ rotation, turn @ position + shift, TETRODE @ turn.T + shift)
    np.testing.assert_allclose(moved, projection(entry, rotation, position, TETRODE), rtol=1e-9, atol=1e-9)


def test_table_moves_the_tissue_along_the_depth() -> None:
    entry, position = make_entry(duration_s=0.5), np.array([30.0, 5.0, 0.0])
    table = projection_table(entry, np.eye(3), position, TETRODE, np.array([-4.0, 0.0, 4.0]))
    np.testing.assert_allclose(
        table[2], projection(entry, np.eye(3), position + np.array([0, 4, 0]), TETRODE), rtol=1e-5, atol=1e-4
    )
    np.testing.assert_allclose(
        table[0], projection(entry, np.eye(3), position, TETRODE + np.array([0, 4, 0])), rtol=1e-5, atol=1e-4
    )


def test_mean_spike_of_a_silent_entry_is_an_error() -> None:
    entry = make_entry(duration_s=0.5)
    silent = type(entry)(**{**entry.__dict__, "spike_samples": np.zeros(0, np.int64)})
    with pytest.raises(DataError, match="no spike"):
        mean_spike(silent)
