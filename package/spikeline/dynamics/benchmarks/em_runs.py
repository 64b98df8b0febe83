"""EM of a mixture, measured: a problem that all sides read from one file, and our side."""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np

from spikeline.artifacts import seed_stream
from spikeline.child import answer
from spikeline.dynamics.benchmarks.em_problems import EMProblem
from spikeline.dynamics.benchmarks.memory import peak_memory_mb
from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.simulated.generator import random_system, simulate_mixture
from spikeline.dynamics.systems import LinearSystem
from spikeline.dynamics.trajectories import Trajectories

__all__ = ["EM_RUN", "our_em", "write_em_problem"]

EM_RUN = "spikeline.dynamics.benchmarks.em_runs"
_MATRICES = ("A", "B", "C", "D", "Q", "R", "mu", "S")
_NEAR, _FIRST_STATE = 0.1, 0.3


def write_em_problem(path: str | Path, problem: EMProblem, seed: int) -> None:
    """Trajectories of a random mixture, and where EM starts, as one npz file.

    Parameters
    ----------
    path
        The file: ``inputs``, ``outputs``, ``weights`` and each matrix of all components, stacked.
    problem
        Its sizes.
    seed
        The run's.
    """
    draw = seed_stream(seed, "benchmark-molds", problem.name)
    K, n, q = problem.components, problem.states, problem.outputs
    systems = [random_system(n, problem.inputs, q, draw, feedthrough=False) for _ in range(K)]
    weights = np.full(K, 1 / K)
    data = simulate_mixture(systems, weights, problem.trajectories, problem.steps, draw)
    arrays = {name: np.stack([getattr(system, name) for system in systems]) for name in _MATRICES}
    for name in "ABC":
        arrays[name] = arrays[name] * (1 + _NEAR * draw.normal(size=arrays[name].shape))
        if problem.overlapping:
            arrays[name] = np.tile(arrays[name][0], (K, 1, 1))
    arrays["Q"] = np.tile(0.1 * np.eye(n), (K, 1, 1))
    arrays["R"] = np.tile(0.1 * data.outputs.var() * np.eye(q), (K, 1, 1))
    arrays["S"] = np.tile(_FIRST_STATE * np.eye(n), (K, 1, 1))
    np.savez(path, inputs=data.inputs, outputs=data.outputs, weights=weights, **arrays)


def our_em(
    data: str,
    iterations: int,
    warm_up: int,
    threads: int,
    dtype: str = "float64",
    fresh_cache: str | None = None,
) -> dict[str, Any]:
    """Our side of a comparison: EM without acceleration, an E-step and an M-step per iteration.

    Parameters
    ----------
    data
        File of `write_em_problem`.
    iterations, warm_up
        How many are timed, and how many come before.
    threads
        Threads.
    dtype
        Of the engine.
    fresh_cache
        An empty folder for compiled code, so that everything is compiled.

    Returns
    -------
    dict
        Median ``seconds`` and those of ``each_s`` iteration; ``compile_s`` (first E-step of a few numbers: compiling,
        or reading what was compiled); ``prepare_s`` (once per fit); log-likelihoods before each M-step; largest memory.
    """
    if fresh_cache is not None:
        os.environ["NUMBA_CACHE_DIR"] = fresh_cache  # before numba is imported
    from spikeline.config.molds import EMSettings
    from spikeline.dynamics.em.expectation_maximisation import fit_mixture_em
    from spikeline.dynamics.em.numba_engine import NumbaEngine

    with np.load(data, allow_pickle=False) as file:
        inputs, outputs, weights = file["inputs"], file["outputs"], file["weights"]
        matrices = [file[name] for name in _MATRICES]
    start = Mixture(tuple(LinearSystem(*parts) for parts in zip(*matrices, strict=True)), weights)
    given = Trajectories(inputs, outputs, np.full(len(inputs), inputs.shape[1], np.int64))
    begun = time.perf_counter()
    NumbaEngine(_cut(given), threads, dtype=dtype).expectation(start)
    compile_s = time.perf_counter() - begun
    begun = time.perf_counter()
    engine = NumbaEngine(given, threads, dtype=dtype)
    prepare_s = time.perf_counter() - begun
    times, history = [time.perf_counter()], []

    def after_each(_: int, log_likelihood: float) -> None:
        times.append(time.perf_counter())
        history.append(log_likelihood)

    count = iterations + warm_up
    settings = EMSettings(most_iterations=count, tolerance=0, acceleration="none", feedthrough=False)
    fit_mixture_em(given, start, settings, on_iteration=after_each, engine=engine)
    # From one E-step's end to the next: an M-step and an E-step
    each_s = np.diff(times)[1:].tolist()
    return {
        "seconds": statistics.median(each_s[warm_up:]),
        "each_s": each_s,
        "compile_s": compile_s,
        "prepare_s": prepare_s,
        "log_likelihoods": history[:count],
        "peak_mb": peak_memory_mb(),
    }


def _cut(trajectories: Trajectories) -> Trajectories:
    first = trajectories[:2]
    steps = min(3, first.inputs.shape[1])
    return Trajectories(first.inputs[:, :steps], first.outputs[:, :steps], np.full(len(first), steps, np.int64))


def _on_its_own_cores(**job: Any) -> dict[str, Any]:
    """The same in a process of its own, which may use as many cores as threads and no others."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: job["threads"]])
    return our_em(**job)


if __name__ == "__main__":
    answer(_on_its_own_cores)
