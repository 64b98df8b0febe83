"""The most likely of several starts after a few steps of EM each, for trajectories that no single start suits.

Biernacki, Celeux and Govaert (Comput. Stat. Data Anal. 2003) call it em-EM. Trajectories of a few steps say little of
their own responses, and EM ends in local maxima: clusters of them and random mixtures start beside each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from spikeline.artifacts import seed_integer
from spikeline.config.merging import merged
from spikeline.config.molds import FitSettings
from spikeline.dynamics.em.engines import make_engine
from spikeline.dynamics.em.expectation_maximisation import MixtureFit, fit_mixture_em
from spikeline.dynamics.starts.start import Start, make_start
from spikeline.dynamics.trajectories import Trajectories
from spikeline.errors import NumericalError
from spikeline.progress import ProgressBar

__all__ = ["after_short_runs"]


def after_short_runs(
    clusters: Start,
    trajectories: Trajectories,
    n_components: int,
    n_states: int,
    settings: FitSettings,
    seed: int,
    *,
    progress: bool = False,
) -> Start:
    """Let clusters and random mixtures climb a few steps, and go on from the most likely.

    Parameters
    ----------
    clusters
        The start by clusters of single trajectories.
    trajectories, n_components, n_states, settings, seed
        As for `spikeline.dynamics.starts.start.make_start`; ``settings.start`` says how many random mixtures and steps.
    progress
        Show a bar, where stderr is a terminal.

    Returns
    -------
    Start
        Of method "short_runs". Its notes have the log-likelihood that each reached, and which one it is.

    Raises
    ------
    NumericalError
        If none of them can climb.
    """
    steps = _settings(settings, em={"most_iterations": settings.start.short_run_steps})
    engine = make_engine(settings.em, trajectories)
    reached: dict[str, MixtureFit] = {}
    problems = []
    bar = ProgressBar("starts", 2 + settings.start.random_starts) if progress else None
    try:
        for name, start in _starts(clusters, trajectories, n_components, n_states, settings, seed):
            try:
                reached[name] = fit_mixture_em(trajectories, start.mixture, steps.em, engine=engine)
            except NumericalError as error:
                problems.append(f"{name}: {error.seen}")
            if bar is not None:
                bar.show(len(reached) + len(problems), name)
    finally:
        if bar is not None:
            bar.close()
    if not reached:
        raise NumericalError(
            f"none of the starts can climb ({'; '.join(problems)})",
            "one that can",
            "scale the outputs to unit variance, or take fewer components or states",
        )
    likelihoods = {name: float(run.log_likelihoods[-1]) for name, run in reached.items()}
    best = max(likelihoods, key=lambda name: likelihoods[name])
    told = [f"{name}: {value:.6g}" for name, value in likelihoods.items()] + problems
    notes = {**clusters.notes, "short_runs": told, "best_start": best}
    return replace(clusters, mixture=reached[best].mixture, method="short_runs", notes=notes)


def _settings(settings: FitSettings, **changes: dict[str, Any]) -> FitSettings:
    return FitSettings.parse(merged(settings.plain(), changes))


def _starts(
    clusters: Start, trajectories: Trajectories, n_components: int, n_states: int, settings: FitSettings, seed: int
) -> Iterator[tuple[str, Start]]:
    """By name: clusters with the noise that was asked for, with half of the covariance each, and random mixtures."""

    def started(shard: int = 0, **start: str) -> Start:
        own = _settings(settings, start=start)
        return make_start(trajectories, n_components, n_states, own, seed_integer(seed, "molds-short-runs", str(shard)))

    yield "clusters", clusters
    other = "residual_covariance" if settings.start.noise != "residual_covariance" else "residuals"
    yield f"clusters, {other}", started(method="fir_kmeans", noise=other)
    for index in range(settings.start.random_starts):
        yield f"random {index}", started(index, method="random")
