"""Rheobase: both searches on a known threshold, then on cells; the published grid against its reference values."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikeline.artifacts import write_json
from spikeline.config.simulation import IntegrationSettings, RheobaseSettings, VariantSettings
from spikeline.errors import FormatError, NumericalError
from spikeline.simulation.bank.rheobase import measure_rheobase, read_rheobase, search_by_bisection, search_on_grid
from spikeline.simulation.cells.cell_sources import CellModel

BALL = CellModel("ball_and_stick", "ball_and_stick", None)
COOL = IntegrationSettings(temperature_c=20.0)


def above(threshold: float) -> Callable[[float], bool]:
    return lambda current: current >= threshold


@given(threshold=st.floats(0.005, 2.0), tolerance=st.sampled_from([1.0, 10.0, 40.0]))
def test_bisection_brackets_the_threshold(threshold: float, tolerance: float) -> None:
    found = search_by_bisection(above(threshold), RheobaseSettings(tolerance_percent=tolerance))
    assert threshold <= found.rheobase_na <= threshold / (1 - tolerance / 100) + 1e-9
    assert found.found
    assert not found.spontaneous


def test_bisection_from_below_finds_the_threshold_under_a_depolarisation_block() -> None:
    found = search_by_bisection(lambda current: 0.3 <= current <= 0.9, RheobaseSettings(maximum_na=2.0))
    assert 0.3 <= found.rheobase_na <= 0.33


def test_a_silent_cell_is_an_error_that_names_it() -> None:
    with pytest.raises(NumericalError, match="cell_x/v003 is silent"):
        search_by_bisection(above(99), RheobaseSettings(), "cell_x/v003")


def test_a_spontaneous_cell_is_flagged_and_has_the_lower_end() -> None:
    found = search_by_bisection(lambda current: True, RheobaseSettings(minimum_na=0.02))
    assert (found.rheobase_na, found.spontaneous) == (0.02, True)


@pytest.mark.parametrize("minimum", [0.002, 0.05, 0.2])
def test_nothing_below_the_lower_end_is_looked_for(minimum: float) -> None:
    found = search_by_bisection(above(0.0001), RheobaseSettings(minimum_na=minimum))
    assert (found.rheobase_na, found.spontaneous) == (minimum, False)
    assert minimum in found.tried_na
    assert min(current for current in found.tried_na if current > 0) >= minimum


@pytest.mark.parametrize(("threshold", "expected"), [(0.01, 0.05), (0.05, 0.05), (0.12, 0.15), (0.25, 0.25)])
def test_the_grid_gives_its_first_value_that_fires(threshold: float, expected: float) -> None:
    found = search_on_grid(above(threshold), RheobaseSettings(method="grid"))
    assert (found.rheobase_na, found.found) == (expected, True)


def test_the_grid_falls_back_to_its_first_value_and_says_so() -> None:
    found = search_on_grid(above(0.3), RheobaseSettings(method="grid"))
    assert (found.rheobase_na, found.found) == (0.05, False)
    assert found.tried_na == [0.05, 0.10, 0.15, 0.20, 0.25]


def measure(
    model: CellModel, output: Path, integration: IntegrationSettings, mechanisms: Path | None, **settings: object
) -> float:
    measured = measure_rheobase(
        model,
        "v000",
        output,
        integration=integration,
        rheobase=RheobaseSettings(**settings),
        variants=VariantSettings(),
        mechanisms=mechanisms,
        root_seed=1,
    )
    assert read_rheobase(output) == measured
    return measured.rheobase_na


@pytest.mark.neuron
def test_the_result_is_written_and_both_searches_agree(tmp_path: Path) -> None:
    found = measure(BALL, tmp_path / "b.json", COOL, None, step_ms=200.0)
    grid = [round(found - 0.02, 6), round(found + 0.001, 6)]
    assert measure(BALL, tmp_path / "g.json", COOL, None, step_ms=200.0, method="grid", grid_na=grid) == grid[1]


@pytest.mark.neuron
@pytest.mark.parametrize(("cell", "expected"), [("L5_SBC_bNAC219_1", 0.05), ("L5_MC_bAC217_1", 0.10)])
def test_the_published_grid_on_packaged_cells(
    cell: str, expected: float, packaged_models: dict[str, CellModel], mechanisms: Path, tmp_path: Path
) -> None:
    """Reference values measured with LFPy for SimSort's settings (dt 0.1 ms, 1-Hz lambda rule)."""
    found = measure(packaged_models[cell], tmp_path / "r.json", IntegrationSettings(), mechanisms, method="grid")
    assert found == expected


@pytest.mark.parametrize("content", [{"rheobase_na": -1.0}, {"rheobase_na": 0.1}, []])
def test_a_file_without_a_rheobase_is_refused(content: object, tmp_path: Path) -> None:
    write_json(tmp_path / "r.json", content)
    with pytest.raises(FormatError, match="holds no rheobase"):
        read_rheobase(tmp_path / "r.json")
