"""Benchmark: the best of as many random starts of EM as fit in the time that Tensor-EM takes, beside Tensor-EM."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Any

from spikeline.artifacts import Provenance, seed_integer, seed_stream
from spikeline.config.molds import ExperimentSettings, FitSettings, MixtureSettings, lags_of
from spikeline.dynamics.em.expectation_maximisation import MixtureFit, fit_mixture_em
from spikeline.dynamics.em.numba_engine import NumbaEngine
from spikeline.dynamics.experiments.data import task_mixture
from spikeline.dynamics.experiments.plan import experiment_tasks
from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.scores.matching import match_components
from spikeline.dynamics.simulated.generator import simulate_mixture
from spikeline.dynamics.starts.start import make_start
from spikeline.dynamics.trajectories import Trajectories
from spikeline.errors import NumericalError
from spikeline.simulation.benchmarks.machine import load_average
from spikeline.simulation.benchmarks.report import write_benchmark

__all__ = ["random_beside_tensor", "write_random_ratio"]

_MOST_FAILED = 100
_KEY = "molds.em.best_of_random_ratio"
_METHOD = (
    "Tensor-EM is on the clock from trajectories to the fitted mixture: moments, decomposition, realisation, first "
    "noise, EM. Then random mixtures are fitted one after the other, each drawn and fitted to its end, until as much "
    "time has gone by; the last to begin is let end. Of these the most likely one counts. Both have the same EM, one "
    "thread, and compiled code from before. The ratio is of Markov errors, random over Tensor-EM, the median over "
    "seeds; above 1, Tensor-EM is nearer to the truth."
)


def write_random_ratio(
    output: str | Path,
    *,
    seed: int,
    trajectories: int = 600,
    steps: int = 100,
    seeds: int = 10,
    provenance: Provenance | None = None,
) -> None:
    """Measure on the preset ``complex`` and write one benchmark.

    Parameters
    ----------
    output
        JSON file.
    seed
        The run's.
    trajectories, steps, seeds
        N, T, and how many mixtures.
    provenance
        For the manifest.
    """
    before = load_average()
    settings = ExperimentSettings(
        figure="molds_complex",
        mixture=MixtureSettings(preset="complex"),
        trajectories=[trajectories],
        steps=[steps],
        seeds=seeds,
    )
    cases = {}
    for task in experiment_tasks(settings):
        mixture = task_mixture("molds_random_ratio", task, seed)
        draw = seed_stream(seed, "molds-random-ratio", task["name"])
        data = simulate_mixture(mixture.systems, mixture.weights, trajectories, steps, draw)
        cases[task["name"]] = random_beside_tensor(mixture, data, seed_integer(seed, "molds-ratio", task["name"]))
    write_benchmark(
        output,
        headline={_KEY: statistics.median(case["ratio"] for case in cases.values())},
        method=_METHOD,
        threads=1,
        cases=cases,
        load=(before, load_average()),
        packages=("numba", "numpy", "scipy"),
        provenance=provenance,
    )


def random_beside_tensor(true: Mixture, data: Trajectories, seed: int) -> dict[str, Any]:
    """Both methods on the same trajectories: seconds, Markov errors, log-likelihoods, and how many random starts.

    Parameters
    ----------
    true
        What the trajectories were drawn from.
    data
        White inputs.
    seed
        Of the decomposition and the random mixtures.
    """
    lags = lags_of(true.n_states)
    feedthrough = any(system.D.any() for system in true.systems)
    em = FitSettings().em.model_copy(update={"feedthrough": feedthrough})

    def fit(method: str, seed: int) -> MixtureFit:
        start = FitSettings().start.model_copy(update={"method": method})
        settings = FitSettings().model_copy(update={"em": em, "start": start})
        found = make_start(data, true.n_components, true.n_states, settings, seed)
        return fit_mixture_em(data, found.mixture, em, engine=engine)

    def error(fit: MixtureFit) -> float:
        return match_components(true.responses(lags), fit.mixture.responses(lags)).markov_error

    engine = NumbaEngine(data, n_threads=1)
    engine.expectation(true)  # compiled before the clock starts
    begin = time.perf_counter()
    ours = fit("tensor", seed)
    budget = time.perf_counter() - begin
    fits, failed, begin = [], 0, time.perf_counter()
    while time.perf_counter() - begin < budget or (not fits and failed < _MOST_FAILED):
        try:
            fits.append(fit("random", seed_integer(seed, "random", str(len(fits) + failed))))
        except NumericalError:
            failed += 1  # its time counts
    spent = time.perf_counter() - begin
    if not fits:
        raise NumericalError(
            f"{failed} random starts of EM failed one after the other", "one that does not", "look at the trajectories"
        )
    best = max(fits, key=lambda one: one.log_likelihoods[-1])
    return {
        "ratio": error(best) / error(ours),
        "tensor_em": {
            "seconds": budget, "markov_error": error(ours), "nats": float(ours.log_likelihoods[-1]),
            "iterations": len(ours.log_likelihoods) - 1,
        },
        "random": {
            "seconds": spent, "markov_error": error(best), "nats": float(best.log_likelihoods[-1]),
            "starts": len(fits), "failed": failed,
            "iterations": sum(len(one.log_likelihoods) - 1 for one in fits),
        },
    }  # fmt: skip
