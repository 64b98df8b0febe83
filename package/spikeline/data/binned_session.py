"""A recording day as counts per bin: what binning a `session.Session` gives, and all that some data sets have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Bool, Float, Int64

from spikeline.data.intervals import check_columns
from spikeline.errors import DataError

__all__ = ["BinnedSession"]


@dataclass(frozen=True)
class BinnedSession:
    """Trials one after the other, each a run of bins.

    Parameters
    ----------
    counts
        Spikes per bin and unit.
    bin_s
        Width of a bin, seconds.
    trial_pointers
        Trial i has the bins ``trial_pointers[i]`` to ``trial_pointers[i + 1]``.
    steps
        Which bin of its trial each is, from the trial's first: rising, with gaps where bins were left out.
    behaviour
        Name -> mean over each bin; NaN where it was not measured.
    behaviour_units
        Name -> unit, empty where the source states none.
    trials
        Column -> one value per trial.
    units
        Column -> one value per unit.
    name
        What the session is called.

    Raises
    ------
    DataError
        If lengths do not fit together, a trial is empty, bins of a trial do not rise, or a count is negative.
    """

    counts: Int64[np.ndarray, "bins units"]
    bin_s: float
    trial_pointers: Int64[np.ndarray, " trials_and_one"]
    steps: Int64[np.ndarray, " bins"]
    behaviour: Mapping[str, Float[np.ndarray, "bins _"]] = field(default_factory=dict)
    behaviour_units: Mapping[str, str] = field(default_factory=dict)
    trials: Mapping[str, np.ndarray] = field(default_factory=dict)
    units: Mapping[str, np.ndarray] = field(default_factory=dict)
    name: str = ""

    def __post_init__(self) -> None:
        n_bins, n_units = self.counts.shape
        ends = self.trial_pointers
        if len(ends) < 1 or ends[0] != 0 or ends[-1] != n_bins or (np.diff(ends) < 1).any():
            raise DataError(
                f"pointers of trials {ends[:3]} ... {ends[-2:]} into {n_bins} bins",
                "0 first, the number of bins last, and each larger than the one before",
                "leave empty trials out",
            )
        lengths = {"steps": self.steps.shape} | {name: values.shape[:1] for name, values in self.behaviour.items()}
        for name, shape in lengths.items():
            if shape != (n_bins,):
                raise DataError(f"{name} has {shape} values", f"one per bin, {n_bins}", "give one for every bin")
        within = np.ones(max(n_bins - 1, 0), bool)
        within[ends[1:-1] - 1] = False
        if (np.diff(self.steps)[within] < 1).any():
            raise DataError("bins of a trial that do not rise", "rising bins within each trial", "sort bins by time")
        if (self.counts < 0).any():
            raise DataError(
                f"a count of {self.counts.min()}", "counts of 0 and more", "check that these are counts, not z-scores"
            )
        if not self.bin_s > 0:
            raise DataError(f"bins of {self.bin_s} s", "a width above 0", "give the width in seconds")
        check_columns(self.trials, self.n_trials, "trial")
        check_columns(self.units, n_units, "unit")

    @property
    def n_trials(self) -> int:
        """How many trials there are."""
        return len(self.trial_pointers) - 1

    @property
    def n_units(self) -> int:
        """How many units there are."""
        return self.counts.shape[1]

    @property
    def lengths(self) -> Int64[np.ndarray, " trials"]:
        """Bins of each trial."""
        return np.diff(self.trial_pointers)

    def bins_of(self, trial: int) -> slice:
        """Where a trial's bins lie."""
        return slice(int(self.trial_pointers[trial]), int(self.trial_pointers[trial + 1]))

    def column(self, name: str) -> np.ndarray:
        """A column of ``trials``.

        Raises
        ------
        DataError
            If there is none of that name; the message lists those that there are.
        """
        if name not in self.trials:
            raise DataError(
                f"session {self.name!r} has no column {name!r} of trials",
                "one of " + (", ".join(self.trials) or "none"),
                "name one of them",
            )
        return self.trials[name]

    def with_trials(self, columns: Mapping[str, np.ndarray]) -> BinnedSession:
        """With further columns of trials."""
        return replace(self, trials={**self.trials, **columns})

    def chosen(self, trials: Bool[np.ndarray, " trials"] | Int64[np.ndarray, " some"]) -> BinnedSession:
        """Some of the trials, by indices or a mask.

        Raises
        ------
        DataError
            If none is left.
        """
        which = np.arange(self.n_trials)[trials]
        if not len(which):
            raise DataError(f"no trial of session {self.name!r} is left", "one or more", "keep more trials")
        return self._of_bins(which, np.concatenate([np.arange(self.n_bins)[self.bins_of(i)] for i in which]),
                             self.lengths[which])  # fmt: skip

    @property
    def n_bins(self) -> int:
        """Bins of all trials together."""
        return len(self.counts)

    def without_gaps(self) -> BinnedSession:
        """Each trial cut to its longest run of bins that follow each other (the first of equally long ones)."""
        bins, lengths = [], []
        for trial in range(self.n_trials):
            own = self.bins_of(trial)
            breaks = np.flatnonzero(np.diff(self.steps[own]) != 1) + 1
            edges = np.concatenate([[0], breaks, [own.stop - own.start]])
            longest = int(np.diff(edges).argmax())
            bins.append(own.start + np.arange(edges[longest], edges[longest + 1]))
            lengths.append(len(bins[-1]))
        return self._of_bins(np.arange(self.n_trials), np.concatenate(bins), np.array(lengths, np.int64))

    def rebinned(self, bin_s: float) -> BinnedSession:
        """The same in wider bins: counts are summed, behaviour is averaged, and what fills no whole bin is cut off.

        Raises
        ------
        DataError
            If ``bin_s`` is no whole multiple of the present width, or a trial has gaps or is shorter than a bin.
        """
        factor = round(bin_s / self.bin_s)
        if factor < 1 or abs(bin_s / self.bin_s - factor) > 1e-3:
            raise DataError(
                f"bins of {1e3 * bin_s:g} ms from bins of {1e3 * self.bin_s:g} ms",
                f"a whole multiple of {1e3 * self.bin_s:g} ms: session {self.name!r} exists only as counts",
                f"set bin_ms to {1e3 * self.bin_s:g}, or a multiple",
            )
        if factor == 1:
            return self
        if (self.without_gaps().lengths != self.lengths).any():
            raise DataError("trials with gaps", "trials without", "call without_gaps first")
        wide = self.lengths // factor
        if (wide < 1).any():
            raise DataError(
                f"trial {int((wide < 1).argmax())} lasts {self.lengths[(wide < 1).argmax()]} bins",
                f"at least {factor}, one of the wider ones",
                "leave it out, or bin finer",
            )
        kept = np.concatenate(
            [self.trial_pointers[i] + np.arange(wide[i] * factor) for i in range(self.n_trials)]
        ).reshape(-1, factor)
        pointers = np.concatenate([[0], np.cumsum(wide)]).astype(np.int64)
        return replace(
            self,
            counts=self.counts[kept].sum(axis=1),
            bin_s=bin_s,
            trial_pointers=pointers,
            steps=np.arange(len(kept)) - np.repeat(pointers[:-1], wide),
            behaviour={name: values[kept].mean(axis=1) for name, values in self.behaviour.items()},
        )

    def _of_bins(self, trials: np.ndarray, bins: np.ndarray, lengths: np.ndarray) -> BinnedSession:
        return replace(
            self,
            counts=self.counts[bins],
            trial_pointers=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
            steps=self.steps[bins],
            behaviour={name: values[bins] for name, values in self.behaviour.items()},
            trials={name: column[trials] for name, column in self.trials.items()},
        )
