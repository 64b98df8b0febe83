"""Rheobase: the smallest step current into the soma that makes a cell fire."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from spikeline.artifacts import Provenance, read_json, write_json
from spikeline.config.simulation import IntegrationSettings, RheobaseSettings, VariantSettings
from spikeline.errors import FormatError, NumericalError
from spikeline.simulation.bank.slices import SliceRunner
from spikeline.simulation.cells.cell import NeuronCell, build_cell
from spikeline.simulation.cells.cell_sources import CellModel

__all__ = [
    "Rheobase",
    "fires_at_step",
    "measure_rheobase",
    "read_rheobase",
    "search_by_bisection",
    "search_on_grid",
]

RHEOBASE_SCHEMA = "rheobase"
_FIRST_STEP_NA = 0.05
_PIECE_MS = 50.0


@dataclass(frozen=True)
class Rheobase:
    """Result of a search.

    Parameters
    ----------
    rheobase_na
        The current that scales the cell's stimulus, in nA.
    found
        False where no step made the cell fire and the published rule fell back to the first value of its grid.
    spontaneous
        True where the cell fires with no current at all; its rheobase is then ``minimum_na``.
    tried_na
        Steps that were simulated, in order.
    """

    rheobase_na: float
    found: bool
    spontaneous: bool
    tried_na: list[float]


def search_by_bisection(fires: Callable[[float], bool], settings: RheobaseSettings, name: str = "cell") -> Rheobase:
    """Double a small current until the cell fires, then halve the bracket to the tolerance and return its upper end.

    Coming from below keeps the search clear of depolarisation block, where a strong current silences a cell again.

    Raises
    ------
    NumericalError
        If the cell is silent at ``maximum_na``.
    """
    tried: list[float] = []

    def fire(current: float) -> bool:
        tried.append(current)
        return fires(current)

    if fire(0.0):
        return Rheobase(settings.minimum_na, found=True, spontaneous=True, tried_na=tried)
    silent, firing = 0.0, min(max(_FIRST_STEP_NA, settings.minimum_na), settings.maximum_na)
    while not fire(firing):
        if firing >= settings.maximum_na:
            raise NumericalError(
                f"{name} is silent at a step of {settings.maximum_na} nA for {settings.step_ms:g} ms",
                f"a soma voltage above {settings.threshold_mv} mV at some step",
                "raise simulation.rheobase.maximum_na, narrow the variants' bounds, or take the cell out",
            )
        silent, firing = firing, min(2 * firing, settings.maximum_na)
    while firing - silent > settings.tolerance_percent / 100 * firing * (1 + 1e-9) and firing > settings.minimum_na:
        middle = max((silent + firing) / 2, settings.minimum_na)
        if fire(middle):
            firing = middle
        else:
            silent = middle
    return Rheobase(firing, found=True, spontaneous=False, tried_na=tried)


def search_on_grid(fires: Callable[[float], bool], settings: RheobaseSettings) -> Rheobase:
    """SimSort's scan: the first value of the grid at which the cell fires; if none, its first value, flagged."""
    tried: list[float] = []
    for current in settings.grid_na:
        tried.append(current)
        if fires(current):
            return Rheobase(current, found=True, spontaneous=False, tried_na=tried)
    return Rheobase(settings.grid_na[0], found=False, spontaneous=False, tried_na=tried)


def fires_at_step(
    cell: NeuronCell, integration: IntegrationSettings, settings: RheobaseSettings
) -> Callable[[float], bool]:
    """A function that simulates a step current (nA), until the soma exceeds the threshold, and says whether it did."""
    runner = SliceRunner(
        cell, dt_ms=integration.dt_ms, initial_voltage_mv=integration.initial_voltage_mv, record_currents=False
    )
    piece, total = round(_PIECE_MS / integration.dt_ms), round(settings.step_ms / integration.dt_ms)

    def fires(current_na: float) -> bool:
        state = None
        for index, start in enumerate(range(0, total, piece)):
            state = runner.run(np.full(min(piece, total - start), current_na), state, index)
            if runner.soma_voltage_mv().max() > settings.threshold_mv:
                return True
        return False

    return fires


def measure_rheobase(
    model: CellModel,
    variant: str,
    output: str | Path,
    *,
    integration: IntegrationSettings,
    rheobase: RheobaseSettings,
    variants: VariantSettings,
    mechanisms: str | Path | None,
    root_seed: int,
    provenance: Provenance | None = None,
) -> Rheobase:
    """Measure the rheobase of a cell variant and write it as JSON.

    Raises
    ------
    DataError
        If the cell cannot be built.
    NumericalError
        If the cell does not fire (bisection only).
    """
    cell = build_cell(
        model, integration, mechanisms=mechanisms, variant=variant, variants=variants, root_seed=root_seed
    )
    fires = fires_at_step(cell, integration, rheobase)
    name = f"{model.name}/{variant}"
    result = (
        search_by_bisection(fires, rheobase, name)
        if rheobase.method == "bisection"
        else search_on_grid(fires, rheobase)
    )
    document: dict[str, Any] = {"cell": model.name, "variant": variant, "method": rheobase.method, **asdict(result)}
    write_json(output, document, schema=RHEOBASE_SCHEMA, provenance=provenance)
    return result


def read_rheobase(path: str | Path) -> Rheobase:
    """Read what `measure_rheobase` wrote.

    Raises
    ------
    FormatError
        If the file is missing, not JSON, or holds no positive rheobase.
    """
    document = read_json(path)
    try:
        result = Rheobase(**{key: document[key] for key in ("rheobase_na", "found", "spontaneous", "tried_na")})
        if not result.rheobase_na > 0:
            raise ValueError(f"rheobase_na = {result.rheobase_na}")
    except (KeyError, TypeError, ValueError) as error:
        raise FormatError(
            f"{path} holds no rheobase ({error})",
            "the output of measure_rheobase",
            f"delete {path} and run its rule again",
        ) from error
    return result
