"""LFPy's potentials during the simulation (``cell.simulate(probes=...)``) beside a bank entry of the same cell."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spikeline.artifacts import Provenance
from spikeline.child import module_command, run_child
from spikeline.config.simulation import CellSettings, StimulusSettings
from spikeline.errors import DataError
from spikeline.simulation.bank.stimulus import stimulus_current
from spikeline.simulation.benchmarks.bank_over_bare_neuron import NEURON_RUN
from spikeline.simulation.benchmarks.machine import load_average
from spikeline.simulation.benchmarks.neuron_runs import TETRODE_UM
from spikeline.simulation.benchmarks.report import write_benchmark
from spikeline.simulation.benchmarks.timing import median_ratio, take_turns
from spikeline.simulation.cells.cell_sources import find_cell_models
from spikeline.simulation.cells.mechanisms import LIBRARY

__all__ = ["compare_lfpy_with_bank", "write_lfpy_probes_over_bank"]

_METHOD = (
    "One process and thread per run, in turns; LFPy in its own environment. LFPy simulates the cell once for one "
    "placement of a tetrode (RecExtElectrode, line sources); the bank entry serves any number of placements. Inside "
    "the clock: integration in the same fixed steps of the same segments under the same current, LFPy's potentials "
    "at four contacts, the bank's low-rank form and files. Outside: imports, channels, templates, building the "
    "cell. The headline is the worst cell's median."
)


def _lfpy_job(job: Mapping[str, Any], current: Path) -> dict[str, Any]:
    model = find_cell_models(CellSettings.parse(dict(job["cells"])))[job["cell"]]
    if model.folder is None:
        raise DataError(
            f"{model.name}, which has no files, for LFPy",
            "a cell of a Blue Brain package",
            "benchmark with simulation.cells.source mearec",
        )
    steps, bank = job["integration"], job["bank"]
    n_samples = round(bank["duration_s"] * 1e3 / steps["dt_ms"])
    drive = stimulus_current(
        StimulusSettings.parse(dict(job["stimulus"])),
        n_samples=n_samples,
        dt_ms=steps["dt_ms"],
        rheobase_na=job["rheobase_na"],
        root_seed=job["seed"],
        shard=f"{job['cell']}/v000-0",
    )
    np.save(current, drive)
    library = None if job["mechanisms"] is None else Path(job["mechanisms"]) / LIBRARY
    return {
        "package": str(model.folder.resolve()),
        "mechanisms": str(library) if library and library.exists() else None,
        "current_file": str(current),
        "contacts_um": TETRODE_UM,
        "conductivity_s_per_m": bank["conductivity_s_per_m"],
        **{key: steps[key] for key in ("dt_ms", "segment_frequency_hz", "initial_voltage_mv", "temperature_c")},
    }


def compare_lfpy_with_bank(job: Mapping[str, Any], peer: Sequence[str], repetitions: int = 3) -> dict[str, Any]:
    """Both sides of one cell in turns.

    Parameters
    ----------
    job
        See `neuron_runs.neuron_jobs`.
    peer
        The peers' interpreter and the program that runs LFPy.

    Raises
    ------
    DataError
        If LFPy discretised the cell otherwise than we do: the comparison would be void.
    """
    with tempfile.TemporaryDirectory() as folder:
        lfpy = _lfpy_job(job, Path(folder) / "current.npy")
        sides = {
            "lfpy": lambda: run_child(peer, lfpy),
            "bank": lambda: run_child(module_command(NEURON_RUN), {**job, "side": "bank"}),
        }
        result = take_turns(sides, repetitions)
    segments = result["lfpy"]["segments"], result["bank"]["segments"]
    if segments[0] != segments[1]:
        raise DataError(
            f"{segments[0]} segments of {job['cell']} in LFPy",
            f"our {segments[1]}",
            "give both the same segment_frequency_hz",
        )
    return {**result, "ratio": median_ratio(result["lfpy"]["seconds"], result["bank"]["seconds"])}


def write_lfpy_probes_over_bank(
    path: str | Path,
    jobs: list[Mapping[str, Any]],
    peer: Sequence[str],
    *,
    repetitions: int = 3,
    provenance: Provenance | None = None,
) -> None:
    """Measure every cell's job and write the benchmark."""
    before = load_average()
    cases = {str(job["cell"]): compare_lfpy_with_bank(job, peer, repetitions) for job in jobs}
    worst = min(case["ratio"] for case in cases.values())
    write_benchmark(
        path,
        headline={"benchmark.simulation.lfpy_probes_over_bank": worst},
        method=_METHOD,
        threads=1,
        cases=cases,
        load=(before, load_average()),
        provenance=provenance,
    )
