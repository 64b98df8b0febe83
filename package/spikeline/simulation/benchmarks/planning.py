"""How long a large plan takes, and what its jobs ask a cluster for."""

from __future__ import annotations

import re
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from spikeline.artifacts import Provenance
from spikeline.errors import DataError, FormatError
from spikeline.simulation.benchmarks.machine import load_average
from spikeline.simulation.benchmarks.report import write_benchmark
from spikeline.simulation.benchmarks.timing import Measurement, take_turns

__all__ = ["declared_resources", "planned_jobs", "write_plan_seconds"]

_METHOD = (
    "Wall time of the command from start to end, in an empty folder: reading and checking the configuration, "
    "building the DAG of every job, printing each with its resources."
)
_JOB = re.compile(r"^(?:local)?rule (\w+):\n((?:[ \t]+\S.*\n)*)", re.MULTILINE)
_TOTAL = re.compile(r"^total +(\d+)$", re.MULTILINE)


def declared_resources(output: str) -> Iterator[tuple[str, dict[str, float]]]:
    """Rule, ``mem_mb`` and ``runtime`` (minutes) of every job a dry run lists; what is not declared is left out.

    A dry run does not tell which jobs are not submitted; in this workflow they are the ones that declare neither.
    """
    for rule, body in _JOB.findall(output):
        line = re.search(r"^[ \t]+resources: (.*)$", body, re.MULTILINE)
        found = dict(re.findall(r"(mem_mb|runtime)=(\d+(?:\.\d+)?)", line[1])) if line else {}
        yield rule, {name: float(value) for name, value in found.items()}


def planned_jobs(output: str) -> int:
    """Number of jobs in a dry run's table.

    Raises
    ------
    FormatError
        If there is no table.
    """
    found = _TOTAL.search(output)
    if found is None:
        raise FormatError(
            "a dry run without a table of jobs",
            "a line 'total N'",
            "see how snakemake prints it now",
        )
    return int(found[1])


def _smallest(output: str) -> dict[str, dict[str, float]]:
    """The least any submitted job of each rule declares; one of the two left out counts as 0."""
    smallest: dict[str, dict[str, float]] = {}
    for rule, resources in declared_resources(output):
        if not resources:
            continue
        least = smallest.setdefault(rule, {"mem_mb": float("inf"), "runtime": float("inf")})
        for name in least:
            least[name] = min(least[name], resources.get(name, 0.0))
    return smallest


def write_plan_seconds(
    path: str | Path, command: Sequence[str], *, shards: int, repetitions: int = 3, provenance: Provenance | None = None
) -> None:
    """Measure a dry run and check what its jobs declare.

    Parameters
    ----------
    command
        The dry run; ``--directory`` and an empty folder are added.
    shards
        Bank entries it must plan, at least.

    Raises
    ------
    DataError
        If it fails, plans fewer jobs, or a job declares less than 500 MB or 5 minutes.
    """
    outputs: list[str] = []

    def plan() -> Measurement:
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            done = subprocess.run(
                [*command, "--directory", folder],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            seconds = time.perf_counter() - start
        if done.returncode != 0:
            last = "\n    ".join(done.stdout.strip().splitlines()[-15:])
            raise DataError(f"the dry run failed; its last lines:\n    {last}", "a plan", "run it by hand")
        outputs.append(done.stdout)
        return {"seconds": seconds, "jobs": planned_jobs(done.stdout)}

    before = load_average()
    result: dict[str, Any] = take_turns({"plan": plan}, repetitions)
    smallest = _smallest(outputs[-1])
    if result["plan"]["jobs"] < shards or "currents" not in smallest:
        raise DataError(
            f"a plan of {result['plan']['jobs']} jobs",
            f"at least {shards} with their resources",
            "see what changed in the rules",
        )
    small = {rule: least for rule, least in smallest.items() if least["mem_mb"] < 500 or least["runtime"] < 5}
    if small:
        raise DataError(
            f"jobs that declare {small}",
            "at least 500 MB and 5 minutes each",
            "use memory_mb and minutes of rules/common.smk",
        )
    write_benchmark(
        path,
        headline={"benchmark.workflow.plan_seconds_10k": result["plan"]["median_s"]},
        method=_METHOD,
        threads=1,
        cases={
            "paper": {
                **result,
                "shards": shards,
                "smallest_job_of_rule": smallest,
                "rules_not_submitted": sorted({rule for rule, found in declared_resources(outputs[-1]) if not found}),
            }
        },
        load=(before, load_average()),
        packages=("snakemake",),
        provenance=provenance,
    )
