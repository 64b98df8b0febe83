"""Seconds of an iteration of EM: a mixture built on dynamax's smoother, beside ours."""

from __future__ import annotations

import dataclasses
import statistics
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spikeline.artifacts import Provenance, read_json, write_json
from spikeline.child import module_command, run_child
from spikeline.dynamics.benchmarks.em_problems import MAIN, EMProblem
from spikeline.dynamics.benchmarks.em_runs import EM_RUN, write_em_problem
from spikeline.errors import NumericalError
from spikeline.simulation.benchmarks.machine import load_average
from spikeline.simulation.benchmarks.report import write_benchmark
from spikeline.simulation.benchmarks.timing import median_ratio

__all__ = [
    "check_agreement",
    "compare_em",
    "effort_for",
    "headline",
    "write_dynamax_over_ours",
    "write_em_comparison",
]

_AGREEMENT = 1e-6
_LARGE_STEPS = 2_000_000
_PLAIN = 3.0  # times faster, above which further turns would tell nothing new
_METHOD = (
    "One problem in one file (float64), read by both sides, each a fresh process on the same cores, in turns. A time "
    "is that of one E- and one M-step, the median over iterations after the first one; imports, reading, what is "
    "prepared once per fit and compiling are apart. dynamax: its smoother over components and trajectories, jit- "
    "compiled; what does not depend on data is computed once per component (JAX does not repeat it along an axis it "
    "does not vary along), statistics are weighted and summed as products of matrices, its own M-step's formulas; it "
    "solves without the 1e-9 that it adds to diagonals, which moves log-likelihoods near zero by more than 1e-6. It "
    "is laid out in several ways, each tried for one iteration on 200 trajectories, and measured in the fastest; a way "
    "that does not end within the limit is out. A problem other than the headline's is measured in one turn, and in "
    "three where that one says less than three times. Before a time counts, the log-likelihoods before each M-step "
    "have to agree to 1e-6, relative. Memory is the largest the process ever held, imports and data included."
)


def check_agreement(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Largest relative difference of the log-likelihoods of the iterations that both have.

    Raises
    ------
    NumericalError
        If it is above 1e-6: the sides do not compute the same, and no time may be compared.
    """
    count = min(len(ours), len(theirs))
    mine, other = np.array(ours[:count]), np.array(theirs[:count])
    differences = np.abs(mine / other - 1)
    wrong = np.flatnonzero(~(differences <= _AGREEMENT))
    if len(wrong):
        at = int(wrong[0])
        raise NumericalError(
            f"log-likelihoods {mine[at]:.9g} of ours and {other[at]:.9g} of dynamax's before M-step {at}",
            f"the same to {_AGREEMENT}",
            "find the difference before comparing times: the inputs' convention, the start, the M-step",
        )
    return float(differences.max())


def compare_em(
    problem: EMProblem,
    peer: Sequence[str],
    layout: Mapping[str, Any],
    seed: int,
    *,
    threads: int = 2,
    iterations: int = 20,
    turns: int = 3,
    more_turns_below: float = 0.0,
) -> dict[str, Any]:
    """Both sides on one problem.

    Parameters
    ----------
    problem
        Its sizes.
    peer
        Interpreter and program of dynamax's side.
    layout
        Of `spikeline.dynamics.benchmarks.dynamax_layouts.fastest_layout`; no more trajectories at once than there are.
    seed
        The run's.
    threads
        Cores and threads of each side.
    iterations
        How many are timed in a turn.
    turns
        Turns.
    more_turns_below
        If the ratio of these turns is below it, two more are taken.

    Returns
    -------
    dict
        The runs of all turns, the median ratio, and trajectories times steps per second.

    Raises
    ------
    NumericalError
        If the sides do not agree.
    """
    runs: dict[str, list[Mapping[str, Any]]] = {"ours": [], "dynamax": [], "ours_float32": []}
    with tempfile.TemporaryDirectory() as folder:
        data = str(Path(folder) / "problem.npz")
        write_em_problem(data, problem, seed)
        job = {"data": data, "threads": threads, "iterations": iterations, "warm_up": 1}
        sizes = {"trajectories": problem.trajectories, "at_once": min(layout["at_once"], problem.trajectories)}
        theirs = {**job, "precision": "double", **layout, **sizes}
        ours = module_command(EM_RUN)
        for _ in range(turns):
            difference = _turn(runs, (ours, job), (peer, theirs), threads)
        if _ratio(runs, "ours") < more_turns_below:
            for _ in range(2):
                difference = _turn(runs, (ours, job), (peer, theirs), threads)
    single = np.array(runs["ours_float32"][0]["log_likelihoods"]) / np.array(runs["ours"][0]["log_likelihoods"]) - 1
    seconds = {side: [run["seconds"] for run in of_side] for side, of_side in runs.items()}
    result = {
        "sizes": dataclasses.asdict(problem),
        "iterations": iterations,
        "layout": dict(layout),
        "log_likelihood_difference": difference,
        "log_likelihood_difference_float32": float(np.abs(single).max()),
        "ratio": _ratio(runs, "ours"),
        "ratio_float32": _ratio(runs, "ours_float32"),
        "runs": runs,
    }
    for side, of_side in seconds.items():
        median = statistics.median(of_side)
        result[side] = {
            "median_s": median,
            "trajectory_steps_per_s": problem.trajectory_steps / median,
            "peak_mb": max(run["peak_mb"] for run in runs[side]),
            "compile_s": statistics.median(run["compile_s"] for run in runs[side]),
        }
    print(f"{problem.name}: ratio {result['ratio']:.3g} ({seconds})", file=sys.stderr, flush=True)
    return result


def _turn(
    runs: dict[str, list[Mapping[str, Any]]],
    ours: tuple[Sequence[str], Mapping[str, Any]],
    theirs: tuple[Sequence[str], Mapping[str, Any]],
    threads: int,
) -> float:
    """Each side once; how much their log-likelihoods differ."""
    command, job = ours
    runs["ours"].append(run_child(command, job, threads))
    runs["dynamax"].append(run_child(*theirs, threads))
    difference = check_agreement(*(runs[side][-1]["log_likelihoods"] for side in ("ours", "dynamax")))
    runs["ours_float32"].append(run_child(command, {**job, "dtype": "float32"}, threads))
    return difference


def _ratio(runs: Mapping[str, Sequence[Mapping[str, Any]]], side: str) -> float:
    return median_ratio(*([run["seconds"] for run in runs[name]] for name in ("dynamax", side)))


def headline(cases: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """The summary's numbers: the ratio at the headline's problem, and the worst of all problems that were measured.

    Parameters
    ----------
    cases
        By name of the problem, from `compare_em`.
    """
    return {
        "benchmark.molds.dynamax_over_ours": cases[MAIN.name]["ratio"],
        "benchmark.molds.dynamax_over_ours_worst": min(case["ratio"] for case in cases.values()),
    }


def effort_for(problem: EMProblem) -> dict[str, Any]:
    """How long a problem is measured: the headline's best, a large one by few iterations."""
    if problem == MAIN:
        return {"iterations": 20, "turns": 3}
    return {
        "iterations": 2 if problem.trajectory_steps > _LARGE_STEPS else 5,
        "turns": 1,
        "more_turns_below": _PLAIN,
    }


def write_em_comparison(
    path: str | Path,
    peer: Sequence[str],
    layout: str | Path,
    problem: EMProblem,
    *,
    seed: int,
    threads: int = 2,
    provenance: Provenance | None = None,
) -> None:
    """Measure one problem; the file is a part of the benchmark.

    Parameters
    ----------
    layout
        File of `spikeline.dynamics.benchmarks.dynamax_layouts.write_em_layout`.

    Raises
    ------
    NumericalError
        As `compare_em`.
    """
    before, chosen = load_average(), read_json(layout)
    case = compare_em(problem, peer, chosen["fastest"], seed, threads=threads, **effort_for(problem))
    load = {"before": before, "after": load_average()}
    case = {**case, "trials": chosen["trials"], "threads": threads, "load_average": load}
    write_json(path, case, schema="em-comparison", provenance=provenance)


def write_dynamax_over_ours(
    path: str | Path,
    comparisons: Iterable[str | Path],
    *,
    seed: int,
    threads: int = 2,
    provenance: Provenance | None = None,
) -> None:
    """Gather the problems' files into the benchmark, and time what the very first fit on a machine waits for.

    Parameters
    ----------
    comparisons
        Files of `write_em_comparison`.
    """
    before = load_average()
    documents = [read_json(comparison) for comparison in comparisons]
    cases = {EMProblem(**document["sizes"]).name: document for document in documents}
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "problem.npz"
        write_em_problem(data, MAIN, seed)
        job = {"data": str(data), "threads": threads, "iterations": 1, "warm_up": 1, "fresh_cache": f"{folder}/cache"}
        compiled = run_child(module_command(EM_RUN), job, threads)
    write_benchmark(
        path,
        headline=headline(cases),
        method=_METHOD,
        threads=threads,
        cases={**cases, "compiling": {"ours_s": compiled["compile_s"]}},
        load=(before, load_average()),
        packages=("numpy", "numba"),
        provenance=provenance,
    )
