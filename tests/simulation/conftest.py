"""Fixtures of the simulation tests."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from spikeline.config.simulation import CellSettings
from spikeline.simulation.cells.cell_sources import CellModel, find_cell_models
from spikeline.simulation.cells.mechanisms import compile_mechanisms
from tests.simulation.cell_packages import STOCHASTIC_CELL, write_package

# Small ones: tests that integrate them are quick
PACKAGED_CELLS = ["L5_SBC_bNAC219_1", "L5_MC_bAC217_1"]


@pytest.fixture
def rng() -> np.random.Generator:
    """A generator with a fixed seed."""
    return np.random.default_rng(20_240_607)


@pytest.fixture(scope="session")
def packaged_models() -> dict[str, CellModel]:
    """Two real cells of the MEArec wheel."""
    if not (importlib.util.find_spec("neuron") and importlib.util.find_spec("MEArec")):
        pytest.skip("NEURON and MEArec are not installed")
    return find_cell_models(CellSettings(train=PACKAGED_CELLS, test=[]))


@pytest.fixture(scope="session")
def stochastic_model(tmp_path_factory: pytest.TempPathFactory) -> CellModel:
    """A package written here, in the layout of the Blue Brain ones, with a channel that draws random numbers."""
    folder = tmp_path_factory.mktemp("packages")
    write_package(folder / STOCHASTIC_CELL)
    settings = CellSettings(source="bbp_folder", folder=str(folder), train=[STOCHASTIC_CELL], test=[])
    return find_cell_models(settings)[STOCHASTIC_CELL]


@pytest.fixture(scope="session")
def mechanisms(
    packaged_models: dict[str, CellModel], stochastic_model: CellModel, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The compiled channels of these cells (a process can load only one library with a given channel)."""
    folder = tmp_path_factory.mktemp("compiled") / "mechanisms"
    compile_mechanisms([*packaged_models.values(), stochastic_model], folder)
    return folder
