"""Seconds of an iteration of EM: a mixture built on dynamax's smoother, beside ours."""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spikeline.artifacts import Provenance
from spikeline.dynamics.benchmarks.em_runs import EM_RUN, EMProblem, write_em_problem
from spikeline.errors import DataError, NumericalError
from spikeline.simulation.benchmarks.child import module_command, run_child
from spikeline.simulation.benchmarks.machine import load_average
from spikeline.simulation.benchmarks.report import write_benchmark
from spikeline.simulation.benchmarks.timing import median_ratio

__all__ = ["GRIDS", "LAYOUTS", "MAIN", "check_agreement", "compare_em", "headline", "write_dynamax_over_ours"]

MAIN = EMProblem()
"""The preset ``complex``, 1000 trajectories of 200 steps: the headline."""
_CROSS = [
    *(EMProblem(trajectories=count) for count in (100, 10_000)),
    *(EMProblem(steps=steps) for steps in (50, 1000)),
    *(EMProblem(states=states) for states in (10, 30)),
    *(EMProblem(outputs=outputs) for outputs in (16, 64)),
]
_CORNERS = [
    EMProblem(trajectories=100, steps=steps, states=states, outputs=outputs)
    for steps in (50, 1000)
    for states in (3, 30)
    for outputs in (2, 64)
]
GRIDS: Mapping[str, Sequence[EMProblem]] = {
    "main": [MAIN, EMProblem(overlapping=True)],
    "cross": [MAIN, EMProblem(overlapping=True), *_CROSS, *_CORNERS],
}
"""main: the headline's problem, and the same from a start at which all components share in all trajectories. cross:
also each size at its least and its most, one at a time, and the corners of 100 trajectories."""

LAYOUTS: Sequence[Mapping[str, Any]] = [
    {"layout": layout, "at_once": at_once, "devices": devices}
    for layout, at_once, devices in (
        ("map", 100, 1),
        ("vmap", 100, 1),
        ("map", 50, 2),
        ("vmap", 50, 2),
        ("map", 0, 1),
    )
]
"""How dynamax's work is laid out (see scripts/benchmarks/peers/dynamax_em.py): the fastest is measured."""

_AGREEMENT = 1e-6
_METHOD = (
    "One problem in one file (float64), read by both sides, each a fresh process on the same cores, in turns. A time "
    "is that of one E- and one M-step, the median over iterations after the first one; imports, reading, what is "
    "prepared once per fit and compiling are apart. dynamax: its smoother over components and trajectories, jit- "
    "compiled; what does not depend on data is computed once per component (JAX does not repeat it along an axis it "
    "does not vary along), statistics are weighted and summed as products of matrices, its own M-step's formulas. It "
    "is laid out in several ways, each tried for one iteration, and measured in the fastest; a way that does not end "
    "within the limit is out. Before a time counts, the log-likelihoods before each M-step have to agree to 1e-6, "
    "relative. Memory is the largest the process ever held, imports and data included."
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
    seed: int,
    *,
    threads: int = 2,
    iterations: int = 20,
    turns: int = 3,
    limit_s: float = 300.0,
    layouts: Sequence[Mapping[str, Any]] = LAYOUTS,
) -> dict[str, Any]:
    """Both sides on one problem.

    Parameters
    ----------
    problem
        Its sizes.
    peer
        Interpreter and program of dynamax's side.
    seed
        The run's.
    threads
        Cores and threads of each side.
    iterations
        How many are timed in a turn.
    turns
        Turns.
    limit_s
        A layout whose trial takes longer is left out.
    layouts
        That are tried.

    Returns
    -------
    dict
        Trials of dynamax's layouts, the runs of all turns, the median ratio, and trajectories times steps per second.

    Raises
    ------
    DataError
        If no layout of dynamax's side runs.
    NumericalError
        If the sides do not agree.
    """
    with tempfile.TemporaryDirectory() as folder:
        data = str(Path(folder) / "problem.npz")
        write_em_problem(data, problem, seed)
        job = {"data": data, "threads": threads, "iterations": iterations, "warm_up": 1}
        theirs = {**job, "precision": "double", "trajectories": problem.trajectories}
        trials = {}
        for layout in layouts:
            name = f"{layout['layout']}, {layout['at_once'] or 'all'} at once, devices: {layout['devices']}"
            if layout["at_once"] and problem.trajectories % (layout["at_once"] * layout["devices"]):
                continue
            try:
                tried = run_child(peer, {**theirs, **layout, "iterations": 1}, threads, limit_s=limit_s)
            except DataError as error:
                trials[name] = {"layout": dict(layout), "failed": error.seen.splitlines()[0]}
            else:
                trials[name] = {"layout": dict(layout), "seconds": tried["seconds"], "compile_s": tried["compile_s"]}
            print(f"{problem.name}: dynamax, {name}: {trials[name]}", file=sys.stderr, flush=True)
        able = [trial for trial in trials.values() if "seconds" in trial]
        if not able:
            raise DataError(
                f"no layout of dynamax's EM ran on {problem.name}", "one that does", "see the lines above in this log"
            )
        fastest = min(able, key=lambda trial: trial["seconds"])["layout"]
        ours = module_command(EM_RUN)
        runs: dict[str, list[Mapping[str, Any]]] = {"ours": [], "dynamax": [], "ours_float32": []}
        for _ in range(turns):
            runs["ours"].append(run_child(ours, job, threads))
            runs["dynamax"].append(run_child(peer, {**theirs, **fastest}, threads))
            difference = check_agreement(*(runs[side][-1]["log_likelihoods"] for side in ("ours", "dynamax")))
            runs["ours_float32"].append(run_child(ours, {**job, "dtype": "float32"}, threads))
    single = np.array(runs["ours_float32"][0]["log_likelihoods"]) / np.array(runs["ours"][0]["log_likelihoods"]) - 1
    seconds = {side: [run["seconds"] for run in of_side] for side, of_side in runs.items()}
    result = {
        "sizes": {key: getattr(problem, key) for key in problem.__dataclass_fields__},
        "iterations": iterations,
        "fastest_layout": fastest,
        "trials": trials,
        "log_likelihood_difference": difference,
        "log_likelihood_difference_float32": float(np.abs(single).max()),
        "ratio": median_ratio(seconds["dynamax"], seconds["ours"]),
        "ratio_float32": median_ratio(seconds["dynamax"], seconds["ours_float32"]),
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


def write_dynamax_over_ours(
    path: str | Path,
    peer: Sequence[str],
    *,
    seed: int,
    grid: str = "cross",
    threads: int = 2,
    provenance: Provenance | None = None,
) -> None:
    """Measure all problems of a grid and write the benchmark.

    Raises
    ------
    DataError
        If there is no such grid.
    """
    if grid not in GRIDS:
        raise DataError(f"grid {grid!r}", f"one of {', '.join(GRIDS)}", "correct the rule's parameter")
    before = load_average()
    cases = {}
    for problem in GRIDS[grid]:
        effort = {"iterations": 20, "turns": 3} if problem == MAIN else {"iterations": 5, "turns": 1}
        cases[problem.name] = compare_em(problem, peer, seed, threads=threads, **effort)
    with tempfile.TemporaryDirectory() as folder:  # what the very first fit on a machine waits for
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
