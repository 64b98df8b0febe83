"""One measured run of a cell in NEURON, as a program (see `child`).

Three ways to run the same cell with the same stimulus, time step and segments:

``bank``
    What the rule ``currents`` does: all membrane currents, slice by slice, low rank with the error measured, written.
``bare``
    NEURON alone, in one go, with nothing recorded but the soma's voltage.
``again``
    All membrane currents, projected on a tetrode as they come: a placement made by simulating.

Imports, compiled channels and the cell's hoc templates are loaded before the clock starts. Building the cell is timed
on its own, and taken off ``bank``, which builds it inside.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from spikeline.artifacts import read_json, write_json
from spikeline.child import answer
from spikeline.config.simulation import BankSettings, CellSettings, IntegrationSettings, StimulusSettings
from spikeline.simulation.bank import read_bank_entry
from spikeline.simulation.bank.currents import simulate_bank_entry
from spikeline.simulation.bank.rheobase import RHEOBASE_SCHEMA, read_rheobase
from spikeline.simulation.bank.slices import SliceRunner
from spikeline.simulation.bank.spike_times import spike_peaks
from spikeline.simulation.bank.stimulus import stimulus_current
from spikeline.simulation.cells.cell import NeuronCell, build_cell
from spikeline.simulation.cells.cell_sources import find_cell_models
from spikeline.simulation.cells.interpreter import neuron_interpreter
from spikeline.simulation.field.line_source import line_source_matrix

__all__ = ["TETRODE_UM", "measure_neuron_run", "neuron_jobs"]

# Four contacts 13 um apart, 30 um beside the soma.
TETRODE_UM = [[30.0, y, z] for y in (-6.5, 6.5) for z in (-6.5, 6.5)]
_PEAK_WINDOW_MS = 1.0


def neuron_jobs(
    rheobase_files: Iterable[str | Path],
    *,
    cells: Mapping[str, Any],
    mechanisms: str | Path | None,
    integration: IntegrationSettings,
    stimulus: StimulusSettings,
    bank: BankSettings,
    seed: int,
) -> list[dict[str, Any]]:
    """Jobs of `measure_neuron_run` but for their ``side``: one per rheobase file, for the cell that it names."""
    return [
        {
            "cell": read_json(file)["cell"],
            "rheobase_na": read_rheobase(file).rheobase_na,
            "cells": dict(cells),
            "mechanisms": None if mechanisms is None else str(Path(mechanisms).resolve()),
            "integration": integration.plain(),
            "stimulus": stimulus.plain(),
            "bank": bank.plain(),
            "seed": seed,
        }
        for file in rheobase_files
    ]


def measure_neuron_run(
    side: str,
    cell: str,
    rheobase_na: float,
    cells: Mapping[str, Any],
    mechanisms: str | None,
    integration: Mapping[str, Any],
    stimulus: Mapping[str, Any],
    bank: Mapping[str, Any],
    seed: int,
    keep: str | None = None,
) -> dict[str, Any]:
    """Run the cell's variant v000 with stimulus seed 0 one way, once.

    Parameters
    ----------
    side
        ``bank``, ``bare`` or ``again``.
    cell, rheobase_na, cells, mechanisms, integration, stimulus, bank, seed
        See `neuron_jobs`.
    keep
        Where ``bank`` leaves its entry; None: nowhere.

    Returns
    -------
    dict
        ``seconds`` and ``processor_seconds`` without building the cell, ``building_s``, ``segments``, ``spikes``.
    """
    model_cells = CellSettings.parse(dict(cells))
    steps = IntegrationSettings.parse(dict(integration))
    drive, settings = StimulusSettings.parse(dict(stimulus)), BankSettings.parse(dict(bank))
    model = find_cell_models(model_cells)[cell]

    def build() -> NeuronCell:
        return build_cell(model, steps, mechanisms=mechanisms, variants=model_cells.variants, root_seed=seed)

    def current() -> np.ndarray:
        return stimulus_current(
            drive,
            n_samples=round(settings.duration_s * 1e3 / steps.dt_ms),
            dt_ms=steps.dt_ms,
            rheobase_na=rheobase_na,
            root_seed=seed,
            shard=f"{cell}/v000-0",
        )

    with threadpool_limits(1):
        built = build()
        line_source_matrix(built.geometry, np.array(TETRODE_UM))  # loads the compiled kernel, as an import does
        start = _now()
        built = build()
        building_s, building_processor_s = _now() - start
        facts: dict[str, Any] = {"building_s": float(building_s), "segments": built.geometry.n_segments}
        if side == "bank":
            with tempfile.TemporaryDirectory() as folder:
                rheobase = Path(folder) / "rheobase.json"
                found = {"rheobase_na": rheobase_na, "found": True, "spontaneous": False, "tried_na": []}
                write_json(rheobase, found, schema=RHEOBASE_SCHEMA)
                output = Path(keep) if keep else Path(folder) / "entry.h5"
                start = _now()
                error = simulate_bank_entry(
                    model,
                    "v000",
                    0,
                    rheobase,
                    output,
                    integration=steps,
                    stimulus=drive,
                    bank=settings,
                    variants=model_cells.variants,
                    root_seed=seed,
                    mechanisms=mechanisms,
                )
                seconds, processor_seconds = _now() - start - (building_s, building_processor_s)
                facts |= {"rank": round(error["rank"]), "spikes": len(read_bank_entry(output).spike_samples)}
        else:
            start = _now()
            voltage = (
                _bare(built, current(), steps) if side == "bare" else _again(built, current(), steps, settings, seed)
            )
            seconds, processor_seconds = _now() - start
            window = round(_PEAK_WINDOW_MS / steps.dt_ms)
            facts["spikes"] = len(spike_peaks(voltage, settings.spike_threshold_mv, window))
    return {"seconds": float(seconds), "processor_seconds": float(processor_seconds), **facts}


def _now() -> np.ndarray:
    """The clock on the wall and the processor's, s."""
    return np.array([time.perf_counter(), time.process_time()])


def _bare(cell: NeuronCell, current_na: np.ndarray, integration: IntegrationSettings) -> np.ndarray:
    """As someone would who wants the soma's voltage alone: one clamp, one vector, one call."""
    h, dt = neuron_interpreter(), integration.dt_ms
    h.CVode().use_fast_imem(False)
    clamp = h.IClamp(cell.soma)
    clamp.delay, clamp.dur = 0.0, 1e12
    times, values = h.Vector((np.arange(len(current_na)) + 0.5) * dt), h.Vector(current_na)
    values.play(clamp._ref_amp, times, True)
    voltage = h.Vector()
    voltage.record(cell.soma._ref_v)
    context = h.ParallelContext()
    context.set_maxstep(10)
    h.dt = dt
    h.finitialize(integration.initial_voltage_mv)
    context.psolve(len(current_na) * dt)
    return np.array(voltage.as_numpy()[1:])


def _again(
    cell: NeuronCell, current_na: np.ndarray, integration: IntegrationSettings, bank: BankSettings, seed: int
) -> np.ndarray:
    """The fastest way to simulate a placement: currents recorded inside NEURON, one matrix product per slice."""
    matrix = line_source_matrix(cell.geometry, np.array(TETRODE_UM), bank.conductivity_s_per_m).astype(np.float32)
    runner = SliceRunner(
        cell, dt_ms=integration.dt_ms, initial_voltage_mv=integration.initial_voltage_mv, root_seed=seed
    )
    potential = np.empty((len(matrix), len(current_na)), np.float32)
    voltage = np.empty(len(current_na))
    step, state = round(bank.slice_s * 1e3 / integration.dt_ms), None
    for index, start in enumerate(range(0, len(current_na), step)):
        state = runner.run(current_na[start : start + step], state, index)
        potential[:, start : start + step] = matrix @ runner.currents_na()
        voltage[start : start + step] = runner.soma_voltage_mv()
    return voltage


if __name__ == "__main__":
    answer(measure_neuron_run)
