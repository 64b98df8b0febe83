"""A second placement of the same neuron: simulating it again beside taking it from the bank."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from spikeline.artifacts import Provenance, seed_stream
from spikeline.child import module_command, run_child
from spikeline.simulation.bank import read_bank_entry
from spikeline.simulation.benchmarks.bank_over_bare_neuron import NEURON_RUN
from spikeline.simulation.benchmarks.machine import load_average
from spikeline.simulation.benchmarks.neuron_runs import TETRODE_UM
from spikeline.simulation.benchmarks.report import write_benchmark
from spikeline.simulation.benchmarks.timing import Measurement, median_ratio, take_turns
from spikeline.simulation.recordings.placement import draw_rotation, projection

__all__ = ["compare_resimulating_with_replacing", "place_from_bank", "write_resimulate_over_replace"]

_METHOD = (
    "One thread, in turns. Simulating again: integration with all membrane currents recorded inside NEURON, "
    "projected on the tetrode by one matrix product per slice, without the low-rank step, nothing written, the cell "
    "already built. Placing again: the entry read from its file, turned, its line sources computed, and its whole "
    "duration projected on the tetrode. The headline is the worst cell's median."
)


def place_from_bank(entry_file: str | Path, rotation: np.ndarray, conductivity_s_per_m: float) -> np.ndarray:
    """Potential of a whole entry, turned, at the benchmark's tetrode: (4, n_samples) float32, uV."""
    entry = read_bank_entry(entry_file)
    seen = projection(entry, rotation, np.zeros(3), np.array(TETRODE_UM), conductivity_s_per_m)
    # The scale goes into the small matrix, not into the components
    return (seen * entry.scale).astype(np.float32) @ entry.coefficients.astype(np.float32)


def compare_resimulating_with_replacing(job: Mapping[str, Any], repetitions: int = 3) -> dict[str, Any]:
    """Both sides of one cell in turns, on an entry made for it first."""
    with tempfile.TemporaryDirectory() as folder:
        entry = str(Path(folder) / "entry.h5")
        run_child(module_command(NEURON_RUN), {**job, "side": "bank", "keep": entry})
        rotations = iter(
            [draw_rotation("uniform", seed_stream(job["seed"], "benchmark", str(i))) for i in range(repetitions + 1)]
        )

        def replace() -> Measurement:
            rotation = next(rotations)
            start = time.perf_counter()
            place_from_bank(entry, rotation, job["bank"]["conductivity_s_per_m"])
            return {"seconds": time.perf_counter() - start}

        with threadpool_limits(1):
            replace()  # compiles the line-source kernel
            sides = {
                "resimulate": lambda: run_child(module_command(NEURON_RUN), {**job, "side": "again"}),
                "replace": replace,
            }
            result = take_turns(sides, repetitions)
    return {**result, "ratio": median_ratio(result["resimulate"]["seconds"], result["replace"]["seconds"])}


def write_resimulate_over_replace(
    path: str | Path, jobs: list[Mapping[str, Any]], *, repetitions: int = 3, provenance: Provenance | None = None
) -> None:
    """Measure every cell's job (`neuron_runs.neuron_jobs`) and write the benchmark."""
    before = load_average()
    cases = {str(job["cell"]): compare_resimulating_with_replacing(job, repetitions) for job in jobs}
    worst = min(case["ratio"] for case in cases.values())
    write_benchmark(
        path,
        headline={"benchmark.simulation.resimulate_over_replace": worst},
        method=_METHOD,
        threads=1,
        cases=cases,
        load=(before, load_average()),
        provenance=provenance,
    )
