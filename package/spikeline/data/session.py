"""A recording day: spikes of sorted units, behaviour and trials, on one clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float, Int64

from spikeline.data.behaviour import BehaviourSeries
from spikeline.data.binned_session import BinnedSession
from spikeline.data.intervals import Intervals, check_columns
from spikeline.errors import DataError

__all__ = ["Session"]

_ROUNDING = 1e-6  # of a bin
_PER_BIN = 4  # behaviour is averaged over so many points of a bin


@dataclass(frozen=True)
class Session:
    """Everything of one day. Windows of it are found by binary search, never by a loop over samples.

    Parameters
    ----------
    spike_times
        Seconds, rising, of all units together.
    spike_units
        Row of ``units`` of each spike.
    units
        Column -> one value per unit; at least one column (``unit_id`` if nothing else is known).
    behaviour
        Name -> series.
    trials
        Trials, with what is known of each.
    splits
        Name (``train``, ``valid``, ``test``, ...) -> intervals that belong to it.
    name
        What the session is called.

    Raises
    ------
    DataError
        If spikes are not sorted or not finite, are of units that are not there, or units have no or unequal columns.
    """

    spike_times: Float[np.ndarray, " spikes"]
    spike_units: Int64[np.ndarray, " spikes"]
    units: Mapping[str, np.ndarray]
    behaviour: Mapping[str, BehaviourSeries] = field(default_factory=dict)
    trials: Intervals = field(default_factory=lambda: Intervals(np.empty(0), np.empty(0)))
    splits: Mapping[str, Intervals] = field(default_factory=dict)
    name: str = ""

    def __post_init__(self) -> None:
        if not self.units:
            raise DataError("a session whose units have no column", "one or more, e.g. unit_id", "name the units")
        check_columns(self.units, self.n_units, "unit")
        if self.spike_times.shape != self.spike_units.shape:
            raise DataError(
                f"{len(self.spike_times)} spike times and {len(self.spike_units)} units of spikes",
                "one unit per spike",
                "give both for every spike",
            )
        wrong = np.flatnonzero(~np.isfinite(self.spike_times) | np.r_[False, np.diff(self.spike_times) < 0])
        if len(wrong):
            raise DataError(
                f"spike {wrong[0]} is at {self.spike_times[wrong[0]]} s",
                "finite times, none before the spike in front of it",
                "sort spikes by time, and their units with them",
            )
        strange = self.spike_units[(self.spike_units < 0) | (self.spike_units >= self.n_units)]
        if len(strange):
            raise DataError(
                f"a spike of unit {strange[0]}",
                f"a row of the table of units, 0 to {self.n_units - 1}",
                "correct the table or the spikes",
            )

    @property
    def n_units(self) -> int:
        """Rows of the table of units."""
        return len(next(iter(self.units.values())))

    def spikes_between(
        self, start: float, stop: float
    ) -> tuple[Float[np.ndarray, " some"], Int64[np.ndarray, " some"]]:
        """Times and units of the spikes in [start, stop); no copy."""
        first, last = np.searchsorted(self.spike_times, (start, stop))
        return self.spike_times[first:last], self.spike_units[first:last]

    def between(self, start: float, stop: float) -> Session:
        """The session from ``start`` to ``stop``, times unchanged: trials and splits that overlap it are kept whole."""
        times, units = self.spikes_between(start, stop)

        def overlapping(intervals: Intervals) -> Intervals:
            return intervals[(intervals.start < stop) & (intervals.stop > start)]

        return replace(
            self,
            spike_times=times,
            spike_units=units,
            behaviour={name: series.between(start, stop) for name, series in self.behaviour.items()},
            trials=overlapping(self.trials),
            splits={name: overlapping(intervals) for name, intervals in self.splits.items()},
        )

    def split_of_trials(self) -> np.ndarray | None:
        """For each trial the split that holds its middle, empty where none does; None if there are no splits."""
        if not self.splits:
            return None
        middle = (self.trials.start + self.trials.stop) / 2
        of = np.full(len(middle), "", dtype=f"U{max(map(len, self.splits))}")
        for name, intervals in self.splits.items():
            inside = (intervals.start <= middle[:, None]) & (middle[:, None] < intervals.stop)
            of[inside.any(axis=1)] = name
        return of

    def binned(
        self,
        bin_s: float,
        *,
        align: str | None = None,
        window_s: tuple[float, float] | None = None,
        trials: np.ndarray | None = None,
    ) -> BinnedSession:
        """Counts and behaviour of every trial, in bins.

        Parameters
        ----------
        bin_s
            Width of a bin, seconds.
        align, window_s
            The window around a time of each trial (a column of ``trials``, or ``start``), which must hold whole bins.
            Without them a trial goes from its start to its stop, less the bin that its stop cuts.
        trials
            Which ones, as indices or a mask; all of them by default.

        Returns
        -------
        BinnedSession
            Behaviour is the mean over each bin, NaN where it was not measured. Spikes count where they fall: trials may
            overlap.

        Raises
        ------
        DataError
            If a window holds no whole number of bins, a trial has no time to align to, or is shorter than a bin.
        """
        chosen = self.trials if trials is None else self.trials[trials]
        starts, n_bins = _windows(chosen, bin_s, align, window_s)
        pointers = np.concatenate([[0], np.cumsum(n_bins)]).astype(np.int64)
        counts = np.zeros((pointers[-1], self.n_units), np.int64)
        for first, n, start in zip(pointers, n_bins, starts, strict=False):
            times, units = self.spikes_between(start, start + n * bin_s)
            bins = np.minimum(((times - start) / bin_s).astype(np.int64), n - 1)
            np.add.at(counts, (first + bins, units), 1)
        steps = np.arange(pointers[-1]) - np.repeat(pointers[:-1], n_bins)
        left = np.repeat(starts, n_bins) + steps * bin_s
        points = left[:, None] + (np.arange(_PER_BIN) + 0.5) / _PER_BIN * bin_s
        columns = dict(chosen.columns)
        split = self.split_of_trials()
        if split is not None and "split" not in columns:
            columns["split"] = split if trials is None else split[trials]
        return BinnedSession(
            counts=counts,
            bin_s=bin_s,
            trial_pointers=pointers,
            steps=steps,
            behaviour={name: series.at(points).mean(axis=1) for name, series in self.behaviour.items()},
            behaviour_units={name: series.unit for name, series in self.behaviour.items()},
            trials=columns,
            units=self.units,
            name=self.name,
        )


def _windows(
    trials: Intervals, bin_s: float, align: str | None, window_s: tuple[float, float] | None
) -> tuple[Float[np.ndarray, " trials"], Int64[np.ndarray, " trials"]]:
    """Where each trial's bins start, and how many there are."""
    if not bin_s > 0:
        raise DataError(f"bins of {bin_s} s", "a width above 0", "give the width in seconds")
    if (align is None) != (window_s is None):
        raise DataError(
            "only one of align and window_s was given", "both, or neither", "say which window around which time"
        )
    if align is None or window_s is None:
        n_bins = np.floor((trials.stop - trials.start) / bin_s + _ROUNDING).astype(np.int64)
        short = np.flatnonzero(n_bins < 1)
        if len(short):
            length = trials.stop[short[0]] - trials.start[short[0]]
            raise DataError(
                f"trial {short[0]} lasts {length:g} s", f"at least one bin of {bin_s:g} s", "leave it out, or bin finer"
            )
        return trials.start, n_bins
    anchors = np.asarray(trials.column(align), np.float64)
    missing = np.flatnonzero(~np.isfinite(anchors))
    if len(missing):
        raise DataError(
            f"{len(missing)} of {len(trials)} trials have no time {align!r}, the first of them trial {missing[0]}",
            "a time in each trial",
            "leave these trials out, or align to another column",
        )
    wanted = (window_s[1] - window_s[0]) / bin_s
    n = round(wanted)
    if n < 1 or abs(wanted - n) > 1e-3:
        raise DataError(
            f"a window from {window_s[0]:g} s to {window_s[1]:g} s and bins of {bin_s:g} s",
            "one or more whole bins in the window",
            "change the window or the bin",
        )
    return anchors + window_s[0], np.full(len(trials), n, np.int64)
