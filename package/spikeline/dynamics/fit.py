"""The one way to fit a mixture of linear dynamical systems: a start, then EM."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np

from spikeline.blas import one_blas_thread
from spikeline.config.molds import FitSettings
from spikeline.dynamics.em.expectation_maximisation import fit_mixture_em
from spikeline.dynamics.fitted import FittedMolds
from spikeline.dynamics.forecast import check_sizes
from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.short_runs import after_short_runs
from spikeline.dynamics.starts.start import Start, StartWarning, make_start
from spikeline.dynamics.trajectories import Trajectories
from spikeline.errors import DataError
from spikeline.progress import ProgressBar

__all__ = ["fit_molds"]


def fit_molds(
    trajectories: Trajectories,
    n_components: int,
    n_states: int,
    settings: FitSettings | None = None,
    *,
    seed: int = 0,
    start: Mixture | None = None,
    progress: bool = True,
    checkpoint: str | Path | None = None,
) -> FittedMolds:
    """Fit K linear systems of n states, and to which of them each trajectory belongs.

    Tensor-EM (Gong and Saxena, arXiv 2510.06091): moments of the outputs and lagged inputs give each component's
    impulse response, a realisation of it is where EM starts.

    Parameters
    ----------
    trajectories
        Inputs, outputs and lengths; outputs may be missing. For neural data see `spikeline.dynamics.neural`.
    n_components, n_states
        K and n; compare them by `FittedMolds.bayesian_information`, or by the likelihood of trajectories left out.
    settings
        All choices; None: the defaults.
    seed
        Of what is drawn: directions of the decomposition, or the random start.
    start
        EM starts here, and not where ``settings.start`` says.
    progress
        Show a bar while EM climbs, where stderr is a terminal.
    checkpoint
        A file that EM keeps its state in, so that a fit that was killed goes on where it was; removed at the end.

    Raises
    ------
    DataError
        If there is nothing to fit, or K, n or ``start`` do not fit the trajectories; for the rest see
        `spikeline.dynamics.starts.start.make_start`.
    NumericalError
        If the likelihood leaves the range of numbers, or falls.

    Warns
    -----
    StartWarning
        If EM starts from another method's mixture than was asked for, or from one that may mislead it.
    """
    settings = settings or FitSettings()
    for name, number in (("components", n_components), ("states", n_states)):
        if not isinstance(number, int | np.integer) or number < 1:
            raise DataError(f"{number!r} {name}", "a whole number, 1 or more", f"ask for another number of {name}")
    if not isinstance(seed, int | np.integer) or seed < 0:
        raise DataError(f"seed {seed!r}", "a whole number, 0 or more", "take another seed")
    if not isinstance(trajectories, Trajectories) or not isinstance(settings, FitSettings):
        raise DataError(
            f"trajectories {type(trajectories).__name__}, settings {type(settings).__name__}",
            "Trajectories and FitSettings",
            "wrap them: Trajectories(inputs, outputs, lengths), FitSettings.parse({...})",
        )
    if len(trajectories) < n_components:
        raise DataError(
            f"{len(trajectories)} trajectories for {n_components} components",
            "at least one trajectory for each component, and far more to tell them apart",
            "give more trajectories, or ask for fewer components",
        )
    if start is None:
        with one_blas_thread():  # so that a checkpoint's fit begins at the same bits, however many threads there are
            begun = make_start(trajectories, n_components, n_states, settings, seed)
        if settings.start.method == "short_runs" or "fell_back" in begun.notes:
            begun = after_short_runs(begun, trajectories, n_components, n_states, settings, seed, progress=progress)
        for message in begun.warnings:
            warnings.warn(message, StartWarning, stacklevel=2)
    else:
        _check_start(start, trajectories, n_components, n_states)
        begun = Start(mixture=start, method="given", notes={}, warnings=())
    bar = ProgressBar("EM", settings.em.most_iterations) if progress else None
    try:
        reached = fit_mixture_em(
            trajectories,
            begun.mixture,
            settings.em,
            checkpoint=None if checkpoint is None else Path(checkpoint),
            on_iteration=None if bar is None else lambda step, gained: bar.show(step, f"log-likelihood {gained:.6g}"),
        )
    finally:
        if bar is not None:
            bar.close()
    return FittedMolds(
        mixture=reached.mixture,
        responsibilities=reached.responsibilities,
        log_likelihoods=reached.log_likelihoods,
        converged=reached.converged,
        notes=reached.notes,
        start=begun,
        settings=settings,
        seed=seed,
    )


def _check_start(start: Mixture, trajectories: Trajectories, n_components: int, n_states: int) -> None:
    check_sizes(start, trajectories)
    if (start.n_components, start.n_states) != (n_components, n_states):
        raise DataError(
            f"a start of {start.n_components} components and {start.n_states} states",
            f"{n_components} components and {n_states} states, as asked for",
            "give a start of that size, or ask for the start's",
        )
