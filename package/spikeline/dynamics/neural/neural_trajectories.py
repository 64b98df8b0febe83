"""Trials of a session as trajectories: components of the population driven by what the animal did."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int64

from spikeline.artifacts import seed_stream
from spikeline.config.molds import NeuralSessionSettings, NeuralSettings
from spikeline.data.binned_session import BinnedSession
from spikeline.data.intervals import Intervals
from spikeline.data.session import Session
from spikeline.dynamics.neural.folds import sector_of, stratified_folds
from spikeline.dynamics.neural.preprocessing import causal_smoothing, fit_principal_components
from spikeline.dynamics.trajectories import Trajectories
from spikeline.errors import DataError

__all__ = ["TEST", "TRAIN", "VALIDATION", "NeuralTrajectories", "PreparedTrials", "prepare_trials"]

TRAIN, VALIDATION, TEST = 0, 1, 2


@dataclass(frozen=True)
class NeuralTrajectories:
    """Trajectories of one session, with what is known of their trials.

    Parameters
    ----------
    trajectories
        Outputs: principal components of the population, in units of their common scale. Inputs: behaviour, in units
        of its common standard deviation over training trials. Labels: the true system, of simulated sessions.
    directions_deg
        Of each trial.
    parts
        0 fitted to, 1 chosen by, 2 tested on.
    bin_s
        Width of a step, seconds.
    delay_s
        By how much outputs come after inputs, seconds.
    explained
        Share of the units' variance along each component.
    """

    trajectories: Trajectories
    directions_deg: Float[np.ndarray, " N"]
    parts: Int64[np.ndarray, " N"]
    bin_s: float
    delay_s: float
    explained: Float[np.ndarray, " q"]

    def of(self, *parts: int) -> Trajectories:
        """Trajectories of one part or several."""
        return self.trajectories[np.isin(self.parts, parts)]


@dataclass(frozen=True)
class PreparedTrials:
    """Bins of all trials with signals and inputs, before a delay is chosen.

    Parameters
    ----------
    outputs, inputs
        Bin by bin, trial after trial, with ``margin`` further bins at both ends of each trial.
    trial_pointers
        Where trials begin and end.
    margin
        Bins that are there for delays alone.
    directions_deg, parts, labels
        Of each trial; labels where the truth is known.
    bin_s, explained
        As in `NeuralTrajectories`.
    fewest_bins
        No trajectory is to be shorter.
    """

    outputs: Float[np.ndarray, "bins q"]
    inputs: Float[np.ndarray, "bins m"]
    trial_pointers: Int64[np.ndarray, " trials_and_one"]
    margin: int
    directions_deg: Float[np.ndarray, " N"]
    parts: Int64[np.ndarray, " N"]
    labels: Int64[np.ndarray, " N"] | None
    bin_s: float
    explained: Float[np.ndarray, " q"]
    fewest_bins: int

    def delayed(self, delay: int, *, as_for: tuple[int, ...] = ()) -> NeuralTrajectories:
        """Trajectories whose outputs come ``delay`` bins after their inputs.

        Parameters
        ----------
        delay
            Bins; negative: outputs come first.
        as_for
            Cut trials as these delays need it too, so that all of them see the same outputs.

        Raises
        ------
        DataError
            If a trial is left with too few bins, or an input was not measured.
        """
        delays = (delay, *as_for)
        before, after = max(self.margin, *delays, 0), max(self.margin, *(-d for d in delays), 0)
        lengths = np.diff(self.trial_pointers) - before - after
        short = np.flatnonzero(lengths < self.fewest_bins)
        if len(short):
            raise DataError(
                f"a delay of {delay} bins leaves trial {short[0]} with {lengths[short[0]]} bins",
                f"at least fewest_bins = {self.fewest_bins}",
                "shorten delays_ms: outside the bins of such a data set nothing is known",
            )
        n, longest = len(lengths), int(lengths.max())
        inputs = np.zeros((n, longest, self.inputs.shape[1]))
        outputs = np.zeros((n, longest, self.outputs.shape[1]))
        for trial, (start, length) in enumerate(zip(self.trial_pointers[:-1] + before, lengths, strict=True)):
            outputs[trial, :length] = self.outputs[start : start + length]
            inputs[trial, :length] = self.inputs[start - delay : start - delay + length]
        return NeuralTrajectories(
            trajectories=Trajectories(inputs, outputs, lengths, self.labels),
            directions_deg=self.directions_deg,
            parts=self.parts,
            bin_s=self.bin_s,
            delay_s=delay * self.bin_s,
            explained=self.explained,
        )


def prepare_trials(
    session: Session | BinnedSession, settings: NeuralSessionSettings, shared: NeuralSettings, seed: int
) -> PreparedTrials:
    """Bin, take roots, smooth, find components on training trials, and put behaviour beside them.

    Parameters
    ----------
    session
        Spikes, or counts.
    settings, shared
        Of this session, and of all.
    seed
        Root seed; draws which trial is fitted to, chosen by or tested on.

    Raises
    ------
    DataError
        If trials, directions or behaviour are missing; each error says what is there.
    """
    margin = int(np.ceil(max(map(abs, settings.delays_ms)) / settings.bin_ms - 1e-6))
    if isinstance(session, Session):
        binned = _binned(session, settings, margin)
    else:
        if settings.align is not None:
            raise DataError(
                f"session {session.name!r} exists as counts per bin, and align is {settings.align!r}",
                "align: null, whole trials",
                "set align: null for this session",
            )
        binned, margin = session.chosen(_kept(session.trials, settings)).without_gaps(), 0
        binned = binned.rebinned(settings.bin_ms / 1e3)
    # at a delay of its own each data set of counts loses bins at the ends of trials
    spare = 2 * margin if margin else _lost(settings, binned.bin_s)
    binned = binned.chosen(_long_enough(binned, settings.fewest_bins + spare))
    directions = np.asarray(binned.column("direction_deg"), np.float64)
    sectors = sector_of(directions, shared.sectors)
    folds = stratified_folds(sectors, shared.folds, seed_stream(seed, "molds-neural-folds", binned.name))
    parts = np.full(len(folds), TRAIN)
    parts[folds == (shared.test_fold + 1) % shared.folds] = VALIDATION
    parts[folds == shared.test_fold] = TEST

    inside = np.ones(binned.n_bins, bool)
    for trial in range(binned.n_trials):
        own = binned.bins_of(trial)
        inside[own.start : own.start + margin] = inside[own.stop - margin : own.stop] = False
    learnt = inside & np.repeat(parts == TRAIN, binned.lengths)
    counts = np.sqrt(binned.counts) if shared.square_root else binned.counts.astype(np.float64)
    smoothed = causal_smoothing(counts, binned.trial_pointers, settings.smoothing_ms / settings.bin_ms)
    components = fit_principal_components(smoothed[learnt], settings.principal_components)
    inputs = _inputs(binned, settings, margin)
    scale = float(inputs[learnt].std(axis=0).mean())
    if not scale > 0:
        raise DataError(
            f"{settings.input} of session {binned.name!r} does not vary", "an input that varies", "choose another input"
        )
    truth = binned.trials.get("system")
    return PreparedTrials(
        outputs=components(smoothed),
        inputs=inputs / scale,
        trial_pointers=binned.trial_pointers,
        margin=margin,
        directions_deg=directions,
        parts=parts,
        labels=None if truth is None else truth.astype(np.int64),
        bin_s=binned.bin_s,
        explained=components.explained,
        fewest_bins=settings.fewest_bins,
    )


def _kept(columns: dict[str, np.ndarray], settings: NeuralSessionSettings) -> Bool[np.ndarray, " trials"]:
    """Trials with a direction and the wanted values."""
    for name in ("direction_deg", *settings.only):
        if name not in columns:
            raise DataError(
                f"trials have no column {name!r}",
                "one of " + ", ".join(columns),
                "correct only in molds.neural.sessions",
            )
    kept = np.isfinite(np.asarray(columns["direction_deg"], np.float64))
    for name, value in settings.only.items():
        kept &= np.asarray(columns[name], np.float64) == value
    if not kept.any():
        raise DataError(
            f"no trial has a direction and {settings.only}",
            "one or more trials",
            "correct only in molds.neural.sessions",
        )
    return kept


def _binned(session: Session, settings: NeuralSessionSettings, margin: int) -> BinnedSession:
    """Bins of a session of spikes, ``margin`` more of them at both ends of every trial."""
    bin_s = settings.bin_ms / 1e3
    kept = _kept(dict(session.trials.columns), settings)
    if settings.align is None:
        more = Intervals(
            session.trials.start - margin * bin_s, session.trials.stop + margin * bin_s, session.trials.columns
        )
        return replace(session, trials=more).binned(bin_s, trials=kept)
    kept &= np.isfinite(np.asarray(session.trials.column(settings.align), np.float64))
    if not kept.any():
        raise DataError(
            f"no trial has a time {settings.align!r}", "one or more trials with it", "align to another column"
        )
    window = tuple(edge / 1e3 + sign * margin * bin_s for sign, edge in zip((-1, 1), settings.window_ms, strict=True))
    return session.binned(bin_s, align=settings.align, window_s=window, trials=kept)


def _lost(settings: NeuralSessionSettings, bin_s: float) -> int:
    """Bins that a trial of counts loses to the delays that are tried."""
    bins = [round(delay / 1e3 / bin_s) for delay in settings.delays_ms]
    return max(0, *bins) + max(0, *(-b for b in bins))


def _long_enough(binned: BinnedSession, fewest: int) -> Bool[np.ndarray, " trials"]:
    long = binned.lengths >= fewest
    if not long.any():
        raise DataError(
            f"trials of session {binned.name!r} have {binned.lengths.max()} bins at most",
            f"at least {fewest}: fewest_bins, and what delays_ms need",
            "lower fewest_bins, horizons or delays_ms, or use a longer window",
        )
    return long


def _inputs(binned: BinnedSession, settings: NeuralSessionSettings, margin: int) -> Float[np.ndarray, "bins m"]:
    if settings.input == "target_direction":
        step = np.arange(binned.n_bins) - np.repeat(binned.trial_pointers[:-1], binned.lengths)
        if "target_on_s" in binned.trials:
            on = margin + np.round(np.nan_to_num(binned.trials["target_on_s"]) / binned.bin_s)
        else:
            before = 0 if settings.align is None else round(-settings.window_ms[0] / settings.bin_ms)
            on = np.full(binned.n_trials, margin + before)
        angle = np.radians(np.asarray(binned.column("direction_deg"), np.float64))
        target = np.repeat(np.stack([np.cos(angle), np.sin(angle)], axis=1), binned.lengths, axis=0)
        return np.where((step >= np.repeat(on, binned.lengths))[:, None], target, 0.0)
    if settings.input not in binned.behaviour:
        raise DataError(
            f"session {binned.name!r} has no {settings.input}",
            "one of " + (", ".join(binned.behaviour) or "no behaviour at all"),
            "set input to what there is, or to target_direction",
        )
    values = binned.behaviour[settings.input]
    bad = np.flatnonzero(~np.isfinite(values).all(axis=1))
    if len(bad):
        trial = int(np.searchsorted(binned.trial_pointers, bad[0], side="right")) - 1
        raise DataError(
            f"{settings.input} of session {binned.name!r} was not measured in {len(bad)} bins, first in trial {trial}",
            "a value in every bin, and as far before and after it as delays_ms reach",
            "shorten window_ms or delays_ms, leave such trials out with only, or choose another input",
        )
    return values
