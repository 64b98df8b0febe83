"""Moments of many long trajectories, shard by shard: seconds and memory."""

from __future__ import annotations

import time
from functools import reduce
from operator import add
from pathlib import Path

import numpy as np

from spikeline.artifacts import Provenance, seed_stream
from spikeline.child import answer, module_command, run_child
from spikeline.dynamics.benchmarks.memory import peak_memory_mb
from spikeline.dynamics.moments.ustat_moments import ustat_second_moment, ustat_third_moment
from spikeline.dynamics.simulated.generator import random_system, simulate_mixture
from spikeline.dynamics.tensor.whitening import whitened_directions
from spikeline.dynamics.trajectories import Trajectories
from spikeline.errors import NumericalError
from spikeline.simulation.benchmarks.machine import load_average
from spikeline.simulation.benchmarks.report import write_benchmark

__all__ = ["sharded_moments", "write_sharded_moments"]

_COMPONENTS, _STATES, _LAGS = 3, 2, 6
_METHOD = (
    "U-statistics of three systems of two states, one input and one output, over six lags. In each of two passes "
    "(second moment; third moment, whitened) every shard is made anew from its own stream of random numbers, as it "
    "would be read from a file, and let go; making it is not on the clock. Memory is the largest the process ever "
    "held, imports included."
)


def sharded_moments(trajectories: int, steps: int, shard: int, seed: int) -> dict[str, float]:
    """Both passes over all shards, in this process.

    Parameters
    ----------
    trajectories, steps
        N, T.
    shard
        Trajectories of a shard.
    seed
        The run's.

    Returns
    -------
    dict
        Seconds of the moments (``seconds``) and of simulating (``simulation_s``), and the largest memory.
    """
    draw = seed_stream(seed, "benchmark-molds", "sharded-moments")
    systems = [random_system(_STATES, 1, 1, draw) for _ in range(_COMPONENTS)]
    weights = np.full(_COMPONENTS, 1 / _COMPONENTS)
    clock = {"seconds": 0.0, "simulation_s": 0.0}

    def shards():
        for first in range(0, trajectories, shard):
            begun = time.perf_counter()
            stream = seed_stream(seed, "benchmark-molds", f"shard-{first}")
            made = simulate_mixture(systems, weights, min(shard, trajectories - first), steps, stream)
            clock["simulation_s"] += time.perf_counter() - begun
            yield made

    def passed(moment):
        sums = []
        for part in shards():
            begun = time.perf_counter()
            sums.append(moment(part))
            clock["seconds"] += time.perf_counter() - begun
        return reduce(add, sums).value

    second = passed(lambda part: ustat_second_moment(part, _LAGS))
    whitening = whitened_directions(second, _COMPONENTS)

    def third(part: Trajectories):
        return ustat_third_moment(part, _LAGS, whitening.forward)

    if not np.isfinite(passed(third)).all():
        raise NumericalError("third moments that are not finite", "finite ones", "look at the trajectories")
    return {**clock, "peak_mb": peak_memory_mb()}


def write_sharded_moments(
    path: str | Path,
    *,
    seed: int,
    trajectories: int = 100_000,
    steps: int = 1000,
    shard: int = 2500,
    provenance: Provenance | None = None,
) -> None:
    """Measure in a process of its own and write the benchmark."""
    before = load_average()
    job = {"trajectories": trajectories, "steps": steps, "shard": shard, "seed": seed}
    measured = run_child(module_command("spikeline.dynamics.benchmarks.sharded_moments"), job, threads=1)
    write_benchmark(
        path,
        headline={
            "benchmark.molds.moments_peak_gib": measured["peak_mb"] * 1e6 / 2**30,
            "benchmark.molds.moments_seconds": measured["seconds"],
        },
        method=_METHOD,
        threads=1,
        cases={"moments": {**job, **measured}},
        load=(before, load_average()),
        packages=("numpy",),
        provenance=provenance,
    )


if __name__ == "__main__":
    answer(sharded_moments)
