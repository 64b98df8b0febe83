"""Slices: a run in pieces equals a run in one, with channels of all kinds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from spikeline.config.simulation import IntegrationSettings
from spikeline.simulation.bank.slices import SliceRunner
from spikeline.simulation.cells.cell import build_cell
from spikeline.simulation.cells.cell_sources import CellModel

pytestmark = pytest.mark.neuron
COOL = IntegrationSettings(temperature_c=20.0)


def runner(model: CellModel, mechanisms: Path | None, integration: IntegrationSettings) -> SliceRunner:
    cell = build_cell(model, integration, mechanisms=mechanisms)
    return SliceRunner(cell, dt_ms=0.1, initial_voltage_mv=-70.0, root_seed=1, shard="test")


def in_slices(run: SliceRunner, current: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
    state, voltages, currents = None, [], []
    for index, start in enumerate(range(0, len(current), length)):
        state = run.run(current[start : start + length], state, index)
        voltages.append(run.soma_voltage_mv())
        currents.append(run.currents_na().copy())
    return np.concatenate(voltages), np.concatenate(currents, axis=1)


@pytest.mark.parametrize("cell", ["ball_and_stick", "L5_SBC_bNAC219_1", "L5_MC_bAC217_1"])
def test_a_run_in_slices_equals_a_run_in_one(cell: str, request: pytest.FixtureRequest) -> None:
    if cell == "ball_and_stick":
        run = runner(CellModel(cell, cell, None), None, COOL)
    else:
        models, folder = request.getfixturevalue("packaged_models"), request.getfixturevalue("mechanisms")
        run = runner(models[cell], folder, IntegrationSettings())
    current = 0.12 + 0.1 * np.sin(np.arange(3000) / 60)
    whole_voltage, whole_currents = in_slices(run, current, len(current))
    voltage, currents = in_slices(run, current, 700)  # the last slice is shorter
    assert whole_voltage.max() > -10  # it fires
    np.testing.assert_allclose(voltage, whole_voltage, atol=1e-4)
    np.testing.assert_allclose(currents, whole_currents, atol=1e-4)


def test_the_same_slice_gives_the_same_bits(packaged_models: dict[str, CellModel], mechanisms: Path) -> None:
    run = runner(packaged_models["L5_SBC_bNAC219_1"], mechanisms, IntegrationSettings())
    current = np.full(500, 0.1)
    state = run.run(current)
    first_state, first = run.run(current, state, 1), run.currents_na().copy()
    run.run(-current)  # something else in between
    np.testing.assert_array_equal(run.run(current, state, 1), first_state)
    np.testing.assert_array_equal(run.currents_na(), first)


def test_value_k_is_injected_during_step_k() -> None:
    """All that goes in comes out through the membrane, in the same step."""
    run = runner(CellModel("ball_and_stick", "ball_and_stick", None), None, COOL)
    current = np.random.default_rng(0).standard_normal(400) * 0.05
    run.run(current)
    np.testing.assert_allclose(run.currents_na().sum(axis=0), current, atol=1e-5)


def test_random_channels_repeat_and_differ_between_slices(stochastic_model: CellModel, mechanisms: Path) -> None:
    run = runner(stochastic_model, mechanisms, COOL)
    current = np.zeros(300)
    state = run.run(current)
    run.run(current, state, 1)
    first = run.soma_voltage_mv()
    run.run(current, state, 1)
    np.testing.assert_array_equal(run.soma_voltage_mv(), first)
    run.run(current, state, 2)
    assert np.abs(run.soma_voltage_mv() - first).max() > 1e-6
