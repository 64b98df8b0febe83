"""How dynamax's work is best laid out for problems of some steps, states and outputs."""

from __future__ import annotations

import dataclasses
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from spikeline.artifacts import Provenance, write_json
from spikeline.child import run_child
from spikeline.dynamics.benchmarks.em_problems import EMProblem
from spikeline.dynamics.benchmarks.em_runs import write_em_problem
from spikeline.errors import DataError

__all__ = ["LAYOUTS", "fastest_layout", "write_em_layout"]

LAYOUTS: Sequence[Mapping[str, Any]] = [
    {"layout": layout, "at_once": at_once, "devices": devices}
    for layout, at_once, devices in (
        ("map", 100, 1),
        ("vmap", 100, 1),
        ("map", 50, 2),
        ("vmap", 50, 2),
        ("map", 200, 1),
    )
]
"""How dynamax's work is laid out (see scripts/benchmarks/peers/dynamax_em.py): the fastest is measured."""

_TRIED = 200  # trajectories
_LIMIT_S, _STEPS_PER_S = 20.0, 10_000  # a trial's: for starting and compiling, and for what it computes


def fastest_layout(
    problem: EMProblem,
    peer: Sequence[str],
    seed: int,
    *,
    threads: int = 2,
    layouts: Sequence[Mapping[str, Any]] = LAYOUTS,
) -> dict[str, Any]:
    """Try how dynamax's work is best laid out: an iteration of each.

    Parameters
    ----------
    problem
        Its steps, states and outputs count: layouts are tried on few trajectories.
    peer
        Interpreter and program of dynamax's side.
    seed
        The run's.
    threads
        Cores and threads.
    layouts
        That are tried.

    Returns
    -------
    dict
        ``fastest``, a layout; ``trials``, what came of each.

    Raises
    ------
    DataError
        If no layout of dynamax's side runs.
    """
    tried = dataclasses.replace(problem, trajectories=_TRIED)
    job = {"threads": threads, "iterations": 1, "warm_up": 1, "precision": "double", "trajectories": _TRIED}
    trials: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        data = str(Path(folder) / "trial.npz")
        write_em_problem(data, tried, seed)
        for layout in layouts:
            name = f"{layout['layout']}, {layout['at_once']} at once, devices: {layout['devices']}"
            limit_s = _LIMIT_S + tried.trajectory_steps / _STEPS_PER_S
            try:
                ran = run_child(peer, {"data": data, **job, **layout}, threads, limit_s=limit_s)
            except DataError as error:
                trials[name] = {"layout": dict(layout), "failed": error.seen.splitlines()[0]}
            else:
                trials[name] = {"layout": dict(layout), "seconds": ran["seconds"], "compile_s": ran["compile_s"]}
            print(f"{tried.name}: dynamax, {name}: {trials[name]}", file=sys.stderr, flush=True)
    able = [trial for trial in trials.values() if "seconds" in trial]
    if not able:
        raise DataError(
            f"no layout of dynamax's EM ran on {tried.name}", "one that does", "see the lines above in this log"
        )
    return {"fastest": min(able, key=lambda trial: trial["seconds"])["layout"], "trials": trials}


def write_em_layout(
    path: str | Path,
    peer: Sequence[str],
    problem: EMProblem,
    *,
    seed: int,
    threads: int = 2,
    provenance: Provenance | None = None,
) -> None:
    """Choose dynamax's layout for problems of such steps, states and outputs.

    Raises
    ------
    DataError
        As `fastest_layout`.
    """
    chosen = fastest_layout(problem, peer, seed, threads=threads)
    write_json(path, chosen, schema="em-layout", provenance=provenance)
