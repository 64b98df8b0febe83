"""Ways to group trials and to predict them, all of one size: Tensor-EM, and what it is compared with."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int64

from spikeline.artifacts import seed_integer, seed_stream
from spikeline.config.merging import merged
from spikeline.config.molds import FitSettings, NeuralSettings, lags_of
from spikeline.dynamics.fit import fit_molds
from spikeline.dynamics.fitted import FittedMolds
from spikeline.dynamics.forecast import forecast
from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.neural.folds import sector_of
from spikeline.dynamics.neural.neural_trajectories import TEST, TRAIN, NeuralTrajectories
from spikeline.dynamics.neural.single_trials import single_trial_groups
from spikeline.dynamics.neural.switching.switching_em import fit_switching, most_frequent_regime, switching_forecast
from spikeline.dynamics.neural.switching.switching_system import perturbed
from spikeline.dynamics.systems import LinearSystem
from spikeline.dynamics.trajectories import Trajectories
from spikeline.errors import DataError, NumericalError

__all__ = ["Method", "compared_methods", "group_systems"]

Forecast = Callable[[int], Float[np.ndarray, "N T q"]]


@dataclass(frozen=True)
class Method:
    """One way.

    Parameters
    ----------
    name
        Of the method.
    labels
        Group of every trial of the session.
    forecast
        Number of steps ahead -> predictions of the test trials.
    posterior
        Probability of each group, where the method knows it.
    start
        Where EM started, as in `spikeline.dynamics.starts.start.Start`; empty where that is plain.
    note
        How it was come by, where that is not plain from its name.
    """

    name: str
    labels: Int64[np.ndarray, " N"]
    forecast: Forecast
    posterior: Float[np.ndarray, "N K"] | None = None
    start: str = ""
    note: str = ""

    def named(self, posterior: Float[np.ndarray, "N K"]) -> Method:
        """The same with groups in another order."""
        return replace(self, posterior=posterior, labels=posterior.argmax(axis=1).astype(np.int64))


def compared_methods(
    data: NeuralTrajectories, n_components: int, n_states: int, settings: NeuralSettings, seed: int
) -> tuple[FittedMolds, list[Method], dict[int, LinearSystem]]:
    """Fit all methods to the training trials.

    Parameters
    ----------
    data
        Of a session.
    n_components, n_states
        K and n, of every method that has them.
    settings
        Of all sessions.
    seed
        Root seed.

    Returns
    -------
    tuple
        Tensor-EM's fit; the methods, it first: the start alone, EM from random mixtures (the first, and the most likely
        of several), single trials clustered, a switching system, one system for each direction (which is told the
        direction), one for all; and the systems of the directions.
    """
    train, test = data.of(TRAIN), data.of(TEST)
    fit = settings.fit

    def fitted(changes: dict, K: int = n_components, shard: int = 0) -> FittedMolds:
        own = FitSettings.parse(merged(fit.plain(), changes))
        drawn = seed_integer(seed, "molds-neural-random", str(shard)) if shard else seed
        return fit_molds(train, K, n_states, own, seed=drawn, progress=False)

    best = fitted({})
    started = fitted({"em": {"most_iterations": 0}})
    random, failed = _climbed(lambda i: fitted({"start": {"method": "random"}}, shard=1 + i), settings.random_starts)
    likeliest = max(random, key=lambda one: float(one.log_likelihoods[-1]))
    single = fitted({}, K=1)
    methods = [
        _of_mixture("tensor_em", best.mixture, best, data, start=best.start.method),
        _of_mixture("tensor", started.mixture, started, data, start=started.start.method),
        _of_mixture("random_em", random[0].mixture, random[0], data),
        _of_mixture("random_em_best", likeliest.mixture, likeliest, data, note=f"best of {len(random)}{failed}"),
    ]

    lags = lags_of(n_states)
    grouped = single_trial_groups(train, n_components, lags, seed).labels
    everyone = single.mixture.systems[0]
    systems = group_systems(train, grouped, n_states, fit, seed)
    shares = np.bincount(grouped, minlength=n_components) / len(grouped)
    clustered = Mixture(tuple(systems.get(k, everyone) for k in range(n_components)), shares)
    everything = single_trial_groups(data.trajectories, n_components, lags, seed).labels
    note = "labels: clusters of all trials; predictions: systems of the training trials' clusters"
    if alone := n_components - len(systems):
        note += f"; {alone} of them, too small for a system, predicted by that of all trials"
    methods.append(Method("single_trials", everything, lambda ahead: forecast(clustered, test, ahead), note=note))

    draw = seed_stream(seed, "molds-neural-switching")
    start = perturbed(everyone, n_components, settings.switching.stay, draw)
    switching = fit_switching(train, start, settings.switching.iterations).system
    regimes = most_frequent_regime(switching, data.trajectories)
    methods.append(Method("switching", regimes, lambda ahead: switching_forecast(switching, test, ahead)))

    sectors = sector_of(data.directions_deg, settings.sectors)
    by_direction = group_systems(train, sectors[data.parts == TRAIN], n_states, fit, seed)
    if not by_direction:
        raise DataError(
            f"none of {len(np.unique(sectors))} directions has training trials enough for a system of its own",
            "one that has",
            "lower molds.neural.sectors, or leave the session out",
        )
    methods.append(_told_directions(by_direction, everyone, sectors, data))
    methods.append(_of_mixture("one_system", single.mixture, single, data))
    return best, methods, by_direction


def group_systems(
    trajectories: Trajectories, groups: Int64[np.ndarray, " N"], n_states: int, settings: FitSettings, seed: int
) -> dict[int, LinearSystem]:
    """One system for each group that has trials enough for one."""
    systems = {}
    for group in np.unique(groups).tolist():
        own = trajectories[groups == group]
        with contextlib.suppress(DataError, NumericalError):  # a few short trials do not make a system
            systems[group] = fit_molds(own, 1, n_states, settings, seed=seed, progress=False).mixture.systems[0]
    return systems


def _climbed(fitted: Callable[[int], FittedMolds], count: int) -> tuple[list[FittedMolds], str]:
    """Fits from random mixtures that could climb, and words for those that could not.

    Raises
    ------
    NumericalError
        If none could.
    """
    fits, problem = [], None
    for index in range(count):
        try:
            fits.append(fitted(index))
        except NumericalError as error:
            problem = error
    if problem is not None and not fits:
        raise problem
    return fits, f" ({count - len(fits)} more could not climb)" if problem else ""


def _told_directions(
    by_direction: dict[int, LinearSystem],
    otherwise: LinearSystem,
    sectors: Int64[np.ndarray, " N"],
    data: NeuralTrajectories,
) -> Method:
    """The system of each trial's own direction; where that one has no system, that of all trials."""
    test, told = data.of(TEST), sectors[data.parts == TEST]

    def predicted(ahead: int) -> Float[np.ndarray, "N T q"]:
        made = np.empty(test.outputs.shape)
        for sector in np.unique(told):
            own = told == sector
            system = by_direction.get(int(sector), otherwise)
            made[own] = forecast(Mixture((system,), np.ones(1)), test[own], ahead)
        return made

    unknown = len(set(told.tolist()) - set(by_direction))
    note = "told the direction"
    if unknown:
        note += f"; {unknown} directions have too few training trials, and are predicted by the system of all"
    return Method("directions", sectors, predicted, note=note)


def _of_mixture(
    name: str, mixture: Mixture, fit: FittedMolds, data: NeuralTrajectories, *, start: str = "", note: str = ""
) -> Method:
    test = data.of(TEST)
    posterior = fit.posterior(data.trajectories)
    labels = posterior.argmax(axis=1).astype(np.int64)
    return Method(name, labels, lambda ahead: forecast(mixture, test, ahead), posterior, start, note)
