"""Motion of the tissue."""

from __future__ import annotations

import numpy as np
import pytest

from spikeline.config.recordings import DriftSettings, ProbeSettings
from spikeline.simulation.recordings.drift import draw_drift, drift_grid
from spikeline.simulation.recordings.placement import projection_table
from spikeline.simulation.recordings.probes import contact_positions, make_probe
from tests.simulation.recordings_fixtures import make_entry


def test_no_drift() -> None:
    assert draw_drift(DriftSettings(), 60.0, 1, "a") is None
    assert drift_grid(None, 1.0).tolist() == [0.0]


def test_slow_drift_is_a_sine_of_the_given_size() -> None:
    drift = draw_drift(DriftSettings(kind="slow", amplitude_um=12.0, period_s=20.0), 60.0, 1, "a")
    time = np.linspace(0, 60, 6001)
    displacement = drift.displacement_um(time)
    np.testing.assert_allclose([displacement.max(), displacement.min()], [12, -12], rtol=1e-4)
    np.testing.assert_allclose(displacement[:4001], displacement[2000:], atol=1e-9)


def test_jumps_have_the_given_size_and_rate() -> None:
    drift = draw_drift(DriftSettings(kind="jumps", jump_um=10.0, jump_interval_s=2.0), 4000.0, 1, "a")
    assert abs(len(drift.jump_times_s) - 2000) < 150
    np.testing.assert_allclose(np.diff(drift.jump_levels_um).std(), 10, rtol=0.08)
    first = drift.jump_times_s[0]
    assert drift.displacement_um(np.array([first - 1e-6]))[0] == 0
    assert drift.displacement_um(np.array([first]))[0] == drift.jump_levels_um[1]


@pytest.mark.parametrize("kind", ["slow", "jumps", "slow_and_jumps"])
def test_grid_encloses_the_motion(kind: str) -> None:
    drift = draw_drift(DriftSettings(kind=kind, jump_interval_s=1.0), 60.0, 3, "a")
    displacement = drift.displacement_um(np.linspace(0, 60, 5000))
    grid = drift_grid(drift, 0.7)
    assert grid[0] <= displacement.min() and displacement.max() <= grid[-1]
    np.testing.assert_allclose(np.diff(grid), 0.7)


def test_same_seed_same_drift_other_name_other_drift() -> None:
    settings = DriftSettings(kind="slow_and_jumps", jump_interval_s=1.0)
    one, two, three = (draw_drift(settings, 60.0, 3, name) for name in "aab")
    assert one.phase == two.phase != three.phase
    assert np.array_equal(one.jump_times_s, two.jump_times_s)


def test_linear_interpolation_between_steps_beats_the_nearest_by_far() -> None:
    """Why drifting fields are interpolated: at 20 um and 1-um steps the nearest field errs by percents."""
    contacts = contact_positions(make_probe(ProbeSettings(kind="linear", channels=8, pitch_um=20.0)))
    entry, position = make_entry(duration_s=0.5), np.array([20.0, 50.0, 0.0])
    low, true, high = projection_table(entry, np.eye(3), position, contacts, np.array([0.0, 0.5, 1.0]))
    size = np.abs(true).max()
    nearest, linear = np.abs(low - true).max() / size, np.abs((low + high) / 2 - true).max() / size
    assert linear < 2e-3
    assert nearest > 10 * linear
