"""The file a benchmark leaves, and the headline numbers of all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from spikeline.artifacts import Provenance, read_json, write_json
from spikeline.errors import FormatError
from spikeline.simulation.benchmarks.machine import machine_facts

__all__ = ["write_benchmark", "write_headlines"]


def write_benchmark(
    path: str | Path,
    *,
    headline: Mapping[str, float],
    method: str,
    threads: int,
    cases: Mapping[str, Any],
    load: tuple[float | None, float | None],
    packages: Iterable[str] = ("numpy", "numba", "neuron"),
    provenance: Provenance | None = None,
) -> None:
    """Write one benchmark: all repetitions, medians, method, machine.

    Parameters
    ----------
    headline
        Numbers for the summary, by full key (``benchmark.simulation.bank_over_bare_neuron``).
    method
        What is inside the clock and what is not.
    threads
        Threads each side was given.
    cases
        Results of `timing.take_turns` and ratios, by case.
    load
        Load average of the machine before and after; the benchmark's own work is part of the second.
    packages
        Packages whose versions are noted.
    """
    document = {
        "headline": dict(headline),
        "method": method,
        "threads": threads,
        "cases": dict(cases),
        "load_average": {"before": load[0], "after": load[1]},
        "machine": machine_facts(packages),
    }
    write_json(path, document, schema="benchmark", provenance=provenance)


def write_headlines(path: str | Path, benchmarks: Iterable[str | Path], provenance: Provenance | None = None) -> None:
    """Gather the headline numbers of several benchmarks into a part of the run's summary.

    Raises
    ------
    FormatError
        If a file is not a benchmark, or two give one key.
    """
    gathered: dict[str, float] = {}
    for benchmark in benchmarks:
        document = read_json(benchmark)
        if not isinstance(document, dict) or not isinstance(document.get("headline"), dict):
            raise FormatError(
                f"{benchmark} has no headline numbers",
                "a file of a benchmark",
                f"delete {benchmark} and run its rule again",
            )
        twice = sorted(set(gathered) & set(document["headline"]))
        if twice:
            raise FormatError(
                f"{benchmark} gives {twice[0]} a second time", "each key from one benchmark", "rename one of them"
            )
        gathered.update(document["headline"])
    write_json(path, gathered, schema="summary-part", provenance=provenance)
