"""What a bank entry costs beside NEURON alone on the same cell."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spikeline.artifacts import Provenance
from spikeline.child import module_command, run_child
from spikeline.simulation.benchmarks.machine import load_average
from spikeline.simulation.benchmarks.report import write_benchmark
from spikeline.simulation.benchmarks.timing import median_ratio, take_turns

__all__ = ["NEURON_RUN", "compare_bank_with_bare_neuron", "write_bank_over_bare_neuron"]

NEURON_RUN = "spikeline.simulation.benchmarks.neuron_runs"
_METHOD = (
    "One process and thread per run, in turns. Inside the clock: the stimulus, integration in fixed steps; for the "
    "bank also all membrane currents, the low-rank form with its error measured on every sample, every slice and "
    "the entry written to disk. Outside: imports, loading channels and templates, building the cell (building_s). "
    "The headline is the worst cell's median."
)


def compare_bank_with_bare_neuron(job: Mapping[str, Any], repetitions: int = 3) -> dict[str, Any]:
    """Both sides of one cell in turns; ``ratio`` without and ``ratio_with_building`` with building the cell."""
    sides = {
        side: lambda side=side: run_child(module_command(NEURON_RUN), {**job, "side": side})
        for side in ("bank", "bare")
    }
    result = take_turns(sides, repetitions)
    bank, bare = result["bank"], result["bare"]
    with_building = [[seconds + side["building_s"] for seconds in side["seconds"]] for side in (bank, bare)]
    return {
        **result,
        "ratio": median_ratio(bank["seconds"], bare["seconds"]),
        "ratio_of_processor_seconds": median_ratio(bank["processor_seconds"], bare["processor_seconds"]),
        "ratio_with_building": median_ratio(*with_building),
    }


def write_bank_over_bare_neuron(
    path: str | Path, jobs: list[Mapping[str, Any]], *, repetitions: int = 3, provenance: Provenance | None = None
) -> None:
    """Measure every cell's job (`neuron_runs.neuron_jobs`) and write the benchmark."""
    before = load_average()
    cases = {str(job["cell"]): compare_bank_with_bare_neuron(job, repetitions) for job in jobs}
    worst = max(case["ratio"] for case in cases.values())
    write_benchmark(
        path,
        headline={"benchmark.simulation.bank_over_bare_neuron": worst},
        method=_METHOD,
        threads=1,
        cases=cases,
        load=(before, load_average()),
        provenance=provenance,
    )
