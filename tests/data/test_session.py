"""Sessions: windows by binary search against counting one by one, files, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spikeline.artifacts import verify_tree
from spikeline.data.behaviour import BehaviourSeries
from spikeline.data.binned_session import BinnedSession
from spikeline.data.intervals import Intervals
from spikeline.data.session import Session
from spikeline.data.session_files import read_binned_session, read_session, write_binned_session, write_session
from spikeline.errors import DataError, FormatError
from tests.data.sessions import small_session


def same(one: object, other: object) -> None:
    """Two sessions, behaviour series or tables with equal content."""
    for name, value in vars(one).items():
        theirs = getattr(other, name)
        if isinstance(value, np.ndarray):
            np.testing.assert_array_equal(value, theirs)
            assert value.dtype.kind == theirs.dtype.kind
        elif isinstance(value, dict):
            assert sorted(value) == sorted(theirs)
            for key in value:
                if isinstance(value[key], np.ndarray):
                    np.testing.assert_array_equal(value[key], theirs[key])
                elif isinstance(value[key], str):
                    assert value[key] == theirs[key]
                else:
                    same(value[key], theirs[key])
        elif isinstance(value, Intervals):
            same(value, theirs)
        else:
            assert value == theirs


def test_a_window_holds_the_spikes_that_fall_in_it() -> None:
    session = small_session()
    times, units = session.spikes_between(1.0, 2.5)
    inside = (session.spike_times >= 1.0) & (session.spike_times < 2.5)
    np.testing.assert_array_equal(times, session.spike_times[inside])
    np.testing.assert_array_equal(units, session.spike_units[inside])
    part = session.between(1.5, 6.5)
    assert len(part.trials) == 3 and part.behaviour["hand_velocity"].times[0] == 1.5
    assert part.n_units == session.n_units and list(part.splits) == ["train", "test"]


def test_bins_hold_the_spikes_that_fall_in_them() -> None:
    session = small_session()
    with_go = np.isfinite(session.trials.columns["go"])
    binned = session.binned(0.05, align="go", window_s=(-0.1, 0.4), trials=with_go)
    assert binned.n_trials == 5 and set(binned.lengths) == {10}
    for trial, go in enumerate(session.trials.columns["go"][with_go]):
        for step, counts in enumerate(binned.counts[binned.bins_of(trial)]):
            start = go - 0.1 + 0.05 * step
            inside = (session.spike_times >= start) & (session.spike_times < start + 0.05)
            np.testing.assert_array_equal(counts, np.bincount(session.spike_units[inside], minlength=3))
            # velocity is the time itself, so its mean is the bin's middle
            middle = binned.behaviour["hand_velocity"][binned.bins_of(trial)][step]
            np.testing.assert_allclose(middle, [start + 0.025, -start - 0.025], atol=1e-9)
    assert list(binned.trials["split"]) == ["train"] * 4 + ["test"]
    assert list(binned.trials["result"]) == ["R", "F", "R", "F", "F"]


def test_without_a_window_a_trial_goes_from_start_to_stop() -> None:
    binned = small_session().binned(0.3)
    assert set(binned.lengths) == {3} and binned.n_trials == 6
    assert binned.counts.sum() == sum(
        len(small_session().spikes_between(start, start + 0.9)[0]) for start in 2.0 * np.arange(6)
    )


def test_wider_bins_of_counts_are_the_wider_bins_of_spikes() -> None:
    session = small_session()
    fine, wide = session.binned(0.05), session.binned(0.1)
    made = fine.rebinned(0.1)
    np.testing.assert_array_equal(made.counts, wide.counts)
    np.testing.assert_allclose(made.behaviour["hand_velocity"], wide.behaviour["hand_velocity"], atol=1e-9)
    np.testing.assert_array_equal(made.trial_pointers, wide.trial_pointers)
    assert fine.rebinned(0.05) is fine
    with pytest.raises(DataError, match="a whole multiple of 50 ms"):
        fine.rebinned(0.02)


def test_behaviour_outside_its_samples_is_missing() -> None:
    series = BehaviourSeries(np.array([1.0, 2.0]), np.array([[10.0], [20.0]]))
    np.testing.assert_array_equal(series.at(np.array([0.9, 1.5, 2.0, 2.1]))[:, 0], [np.nan, 15.0, 20.0, np.nan])


def gappy() -> BinnedSession:
    return BinnedSession(
        counts=np.arange(18).reshape(9, 2),
        bin_s=0.1,
        trial_pointers=np.array([0, 4, 9]),
        steps=np.array([0, 1, 2, 4, 1, 3, 4, 5, 7]),
        behaviour={"hand_velocity": np.arange(9.0)[:, None]},
        behaviour_units={"hand_velocity": ""},
        trials={"target": np.array([3, 5])},
    )


def test_gaps_are_cut_out() -> None:
    cut = gappy().without_gaps()
    np.testing.assert_array_equal(cut.steps, [0, 1, 2, 3, 4, 5])
    np.testing.assert_array_equal(cut.counts[:, 0], [0, 2, 4, 10, 12, 14])
    np.testing.assert_array_equal(cut.behaviour["hand_velocity"][:, 0], [0, 1, 2, 5, 6, 7])
    with pytest.raises(DataError, match="trials with gaps"):
        gappy().rebinned(0.2)


def test_some_trials() -> None:
    second = gappy().chosen(np.array([False, True]))
    np.testing.assert_array_equal(second.counts[:, 0], [8, 10, 12, 14, 16])
    assert second.trials["target"].tolist() == [5]
    with pytest.raises(DataError, match="no trial of session"):
        gappy().chosen(np.array([False, False]))
    with pytest.raises(DataError, match="one of target"):
        gappy().column("direction_deg")


def test_files_give_back_what_was_written(tmp_path: Path) -> None:
    session = small_session()
    write_session(tmp_path / "a.h5", session)
    same(session, read_session(tmp_path / "a.h5"))
    binned = session.binned(0.05)
    write_binned_session(tmp_path / "b.h5", binned)
    same(binned, read_binned_session(tmp_path / "b.h5"))
    bare = Session(np.empty(0), np.empty(0, np.int64), {"unit_id": np.arange(2)})
    write_session(tmp_path / "c.h5", bare)
    same(bare, read_session(tmp_path / "c.h5"))
    write_session(tmp_path / "d.h5", session)
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "d.h5").read_bytes()
    assert verify_tree(tmp_path).ok
    with pytest.raises(FormatError, match="schema"):
        read_session(tmp_path / "b.h5")


@pytest.mark.wrong_arrays
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"spike_times": np.array([1.0, 0.5]), "spike_units": np.array([0, 0])}, "spike 1 is at 0.5 s"),
        ({"spike_times": np.array([1.0, np.nan]), "spike_units": np.array([0, 0])}, "spike 1 is at nan s"),
        ({"spike_times": np.array([1.0]), "spike_units": np.array([3])}, "a spike of unit 3"),
        ({"spike_times": np.array([1.0]), "spike_units": np.array([0, 1])}, "1 spike times and 2 units"),
        ({"units": {}}, "no column"),
        ({"units": {"a": np.arange(3), "b": np.arange(2)}}, r"column 'b' has shape \(2,\)"),
    ],
)
def test_sessions_that_cannot_be(changes: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        replace(small_session(), **changes)


@pytest.mark.wrong_arrays
def test_intervals_and_series_that_cannot_be() -> None:
    with pytest.raises(DataError, match=r"interval 1 goes from 3.0 s to 2.0 s"):
        Intervals(np.array([0.0, 3.0]), np.array([1.0, 2.0]))
    with pytest.raises(DataError, match="column 'x' has shape"):
        Intervals(np.zeros(2), np.ones(2), {"x": np.zeros(3)})
    with pytest.raises(DataError, match="one of start, stop, x"):
        Intervals(np.zeros(2), np.ones(2), {"x": np.zeros(2)}).column("y")
    with pytest.raises(DataError, match=r"time 1 of a behaviour series is 1.0 s"):
        BehaviourSeries(np.array([1.0, 1.0]), np.zeros((2, 1)))
    with pytest.raises(DataError, match="2 times and 1 values"):
        BehaviourSeries(np.array([1.0, 2.0]), np.zeros((1, 1)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bin_s": 0.05, "align": "go", "window_s": (0.0, 0.5)}, "1 of 6 trials have no time 'go', .* trial 4"),
        ({"bin_s": 0.05, "align": "start", "window_s": (0.0, 0.12)}, "whole bins"),
        ({"bin_s": 0.05, "align": "cue", "window_s": (0.0, 0.5)}, "one of start, stop, go"),
        ({"bin_s": 0.05, "align": "go"}, "only one of align and window_s"),
        ({"bin_s": 1.5}, "trial 0 lasts 1 s"),
        ({"bin_s": 0.0}, "a width above 0"),
    ],
)
def test_bins_that_cannot_be(options: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        small_session().binned(**options)


@pytest.mark.wrong_arrays
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"trial_pointers": np.array([0, 9, 9])}, "leave empty trials out"),
        ({"steps": np.array([0, 1, 2, 2, 1, 3, 4, 5, 7])}, "do not rise"),
        ({"steps": np.arange(8)}, r"steps has \(8,\) values"),
        ({"counts": -np.ones((9, 2), np.int64)}, "a count of -1"),
        ({"trials": {"target": np.arange(3)}}, "column 'target'"),
    ],
)
def test_binned_sessions_that_cannot_be(changes: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        replace(gappy(), **changes)
