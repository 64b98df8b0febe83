"""Sides measured in turns, so that a busy moment of the machine falls on all of them."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from spikeline.errors import NumericalError

__all__ = ["Measurement", "clocked", "median_ratio", "take_turns"]

# What one measured run says: its "seconds" by the clock on the wall, maybe "processor_seconds" (which a busy machine
# stretches less), and facts worth keeping.
Measurement = Mapping[str, Any]
_TIMES = ("seconds", "processor_seconds")


def clocked(work: Callable[[], object]) -> Callable[[], Measurement]:
    """A side that runs ``work`` in this process and takes its wall time."""

    def measure() -> Measurement:
        start = time.perf_counter()
        work()
        return {"seconds": time.perf_counter() - start}

    return measure


def take_turns(sides: Mapping[str, Callable[[], Measurement]], repetitions: int) -> dict[str, dict[str, Any]]:
    """Measure all sides once, then all again, ``repetitions`` times (A B A B ...).

    Returns
    -------
    dict
        Per side the times of every repetition in order, the ``median_s`` of its seconds, and the other facts of its
        last run.

    Raises
    ------
    NumericalError
        If a side took no time at all, or an undefined one.
    """
    runs: dict[str, list[Measurement]] = {name: [] for name in sides}
    for _ in range(repetitions):
        for name, measure in sides.items():
            runs[name].append(measure())
    results = {}
    for name, measured in runs.items():
        seconds = [float(run["seconds"]) for run in measured]
        if not all(math.isfinite(value) and value > 0 for value in seconds):
            raise NumericalError(f"{name} took {seconds} s", "times above 0", "measure more work at once")
        times = {key: [float(run[key]) for run in measured] for key in _TIMES if key in measured[-1]}
        results[name] = {**measured[-1], **times, "median_s": statistics.median(seconds)}
    return results


def median_ratio(over: Iterable[float], under: Iterable[float]) -> float:
    """Median over the turns of one side's seconds over the other's: what is common to a turn cancels."""
    return statistics.median(a / b for a, b in zip(over, under, strict=True))
