"""Trials as trajectories: which bins, which inputs, what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spikeline.data.binned_session import BinnedSession
from spikeline.data.intervals import Intervals
from spikeline.dynamics.neural.delays import delays_in_bins, scored_delays
from spikeline.dynamics.neural.neural_trajectories import TEST, TRAIN, VALIDATION, prepare_trials
from spikeline.dynamics.neural.neural_trajectory_files import read_neural_trajectories, write_neural_trajectories
from spikeline.dynamics.neural.simulated_session import DELAY_S, SYSTEM_OF_DIRECTION, simulated_session
from spikeline.errors import DataError
from tests.dynamics.neural.sessions import SESSION, SHORT, day, prepared


def test_the_simulated_day_has_what_it_says() -> None:
    session = simulated_session(3, n_trials=96)
    assert session.n_units == 65 and len(session.trials) == 96
    directions = session.trials.columns["direction_deg"]
    np.testing.assert_array_equal(np.bincount((directions / 45).astype(int)), np.full(8, 12))
    np.testing.assert_array_equal(SYSTEM_OF_DIRECTION[(directions / 45).astype(int)], session.trials.columns["system"])
    velocity = session.behaviour["hand_velocity"]
    peak = velocity.at(session.trials.columns["go"][:, None] + np.linspace(0.05, 0.25, 9)).mean(axis=1)
    away = np.degrees(np.arctan2(peak[:, 1], peak[:, 0])) - directions
    assert np.median(np.abs((away + 180) % 360 - 180)) < 25
    assert 20 < len(session.spike_times) / 65 / (96 * 1.4) < 80
    again = simulated_session(3, n_trials=96)
    np.testing.assert_array_equal(session.spike_times, again.spike_times)


def test_outputs_are_components_and_inputs_come_before_them() -> None:
    data = day()
    assert data.trajectories.outputs.shape == (96, 42, 6) and set(data.trajectories.lengths) == {42}
    assert data.delay_s == pytest.approx(DELAY_S) and data.bin_s == pytest.approx(0.02)
    assert sorted(np.bincount(data.parts)) == [19, 20, 57]
    train = data.of(TRAIN)
    assert train.inputs.std(axis=(0, 1)).mean() == pytest.approx(1, rel=0.05)
    assert np.abs(train.outputs.mean(axis=(0, 1))).max() < 1e-9
    session = simulated_session(3, n_trials=96)
    go = session.trials.columns["go"]
    # bin t of the input is the velocity two bins before bin t of the outputs
    middles = go[:, None] - 0.34 + 0.02 * (np.arange(42) + 0.5)
    alike = {}
    for shift in (-0.02, 0.0, 0.02):
        velocity = session.behaviour["hand_velocity"].at(middles - DELAY_S + shift)
        alike[shift] = np.corrcoef(velocity.ravel(), data.trajectories.inputs.ravel())[0, 1]
    assert alike[0.0] > 0.99 and max(alike, key=alike.__getitem__) == 0.0
    np.testing.assert_array_equal(data.trajectories.labels, session.trials.columns["system"])


def test_all_delays_see_the_same_outputs_if_asked() -> None:
    trials = prepared()
    early, late = (trials.delayed(delay, as_for=(-2, 3)) for delay in (-2, 3))
    np.testing.assert_array_equal(early.trajectories.outputs, late.trajectories.outputs)
    np.testing.assert_array_equal(early.trajectories.inputs[:, :-5], late.trajectories.inputs[:, 5:])


def test_the_delay_is_found() -> None:
    scores = scored_delays(prepared(), delays_in_bins([0.0, 20.0, 40.0, 60.0, 41.0], 0.02), 3, 2, SHORT.fit, 3)
    assert [score.delay for score in scores] == [0, 1, 2, 3]
    assert max(scores, key=lambda score: score.likelihood).delay == 2
    assert max(scores, key=lambda score: score.explained).delay == 2


def counts(n_trials: int = 40, bins: int = 8) -> BinnedSession:
    """A session of counts with a velocity that is the bin's number."""
    draw = np.random.default_rng(1)
    steps = np.tile(np.arange(bins), n_trials)
    return BinnedSession(
        counts=draw.poisson(2.0, (n_trials * bins, 7)),
        bin_s=0.1,
        trial_pointers=bins * np.arange(n_trials + 1),
        steps=steps,
        behaviour={"hand_velocity": np.stack([steps, -steps], axis=1).astype(float)},
        behaviour_units={"hand_velocity": ""},
        trials={"direction_deg": 45.0 * (np.arange(n_trials) % 8)},
        name="counts",
    )


OF_COUNTS = SESSION.model_copy(
    update={
        "align": None, "bin_ms": 100.0, "principal_components": 3, "horizons": [1], "fewest_bins": 4,
        "delays_ms": [-100.0, 0.0, 100.0],
    }
)  # fmt: skip


def test_counts_lose_the_bins_that_a_delay_needs() -> None:
    trials = prepare_trials(counts(), OF_COUNTS, SHORT, 1)
    assert [set(trials.delayed(delay).trajectories.lengths) for delay in (-1, 0, 1)] == [{7}, {8}, {7}]
    for delay in (-1, 0, 1):
        made = trials.delayed(delay).trajectories
        numbers = made.inputs[:, :, 0] / np.diff(made.inputs[0, :, 0])[0]
        np.testing.assert_allclose(numbers[0], np.arange(made.inputs.shape[1]) + max(-delay, 0))
    assert set(trials.delayed(0, as_for=(-1, 1)).trajectories.lengths) == {6}
    with pytest.raises(DataError, match="a delay of 5 bins leaves trial 0 with 3 bins"):
        trials.delayed(5)


def test_the_target_switches_on_when_the_window_says() -> None:
    settings = SESSION.model_copy(update={"input": "target_direction", "delays_ms": [0.0]})
    session = simulated_session(3, n_trials=96)
    data = prepare_trials(session, settings, SHORT, 3).delayed(0)
    inputs, angle = data.trajectories.inputs, np.radians(data.directions_deg)
    assert (inputs[:, :17] == 0).all()
    on = inputs[:, 17:] / np.linalg.norm(inputs[:, 17:], axis=2, keepdims=True)
    np.testing.assert_allclose(on[:, 0], np.stack([np.cos(angle), np.sin(angle)], axis=1), atol=1e-12)
    np.testing.assert_array_equal(inputs[:, 17], inputs[:, -1])
    told = counts().with_trials({"target_on_s": np.full(40, 0.3)})
    later = prepare_trials(told, OF_COUNTS.model_copy(update={"input": "target_direction"}), SHORT, 1).delayed(0)
    assert (later.trajectories.inputs[:, :3] == 0).all() and (later.trajectories.inputs[:, 3:] != 0).any(axis=2).all()


def test_components_know_training_trials_alone() -> None:
    """Other counts in trials of the other parts change nothing that was learnt."""
    session = counts()
    before = prepare_trials(session, OF_COUNTS, SHORT, 1)
    changed = session.counts.copy()
    others = np.repeat(before.parts != TRAIN, session.lengths)
    changed[others] = changed[others][:, ::-1] * 3
    after = prepare_trials(replace(session, counts=changed), OF_COUNTS, SHORT, 1)
    np.testing.assert_array_equal(before.parts, after.parts)
    np.testing.assert_array_equal(before.outputs[~others], after.outputs[~others])
    assert (before.outputs[others] != after.outputs[others]).any()


def test_parts_have_all_directions() -> None:
    data = day()
    for part in (TRAIN, VALIDATION, TEST):
        assert len(np.unique(data.directions_deg[data.parts == part])) == 8


def test_files_give_back_what_was_written(tmp_path: Path) -> None:
    write_neural_trajectories(tmp_path / "t.h5", day())
    read = read_neural_trajectories(tmp_path / "t.h5")
    np.testing.assert_array_equal(read.trajectories.outputs, day().trajectories.outputs)
    np.testing.assert_array_equal(read.trajectories.labels, day().trajectories.labels)
    np.testing.assert_array_equal(read.parts, day().parts)
    assert (read.bin_s, read.delay_s) == (day().bin_s, day().delay_s)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"align": "go"}, "exists as counts per bin, and align is 'go'"),
        ({"bin_ms": 50.0}, "a whole multiple of 100 ms"),
        ({"only": {"passive": 0.0}}, "no column 'passive'"),
        ({"only": {"direction_deg": 7.0}}, "no trial has a direction and"),
        ({"input": "force"}, "has no force"),
        ({"fewest_bins": 9}, "have 8 bins at most"),
        ({"principal_components": 8}, "8 principal components of 7 units"),
    ],
)
def test_settings_that_do_not_fit_counts(changes: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        prepare_trials(counts(), OF_COUNTS.model_copy(update=changes), SHORT, 1)


def test_sessions_that_cannot_be_used() -> None:
    session = counts()
    with pytest.raises(DataError, match="no column 'direction_deg'"):
        prepare_trials(replace(session, trials={}), OF_COUNTS, SHORT, 1)
    with pytest.raises(DataError, match="does not vary"):
        still = {"hand_velocity": np.zeros((session.n_bins, 2))}
        prepare_trials(replace(session, behaviour=still), OF_COUNTS, SHORT, 1)
    holes = {"hand_velocity": np.where(np.arange(session.n_bins)[:, None] == 77, np.nan, 1.0) * np.ones((1, 2))}
    with pytest.raises(DataError, match="not measured in 1 bins, first in trial 9"):
        prepare_trials(replace(session, behaviour=holes), OF_COUNTS, SHORT, 1)
    spikes = simulated_session(3, n_trials=24)
    without = {name: column for name, column in spikes.trials.columns.items() if name != "go"}
    nothing = replace(spikes, trials=Intervals(spikes.trials.start, spikes.trials.stop, without))
    with pytest.raises(DataError, match="no column 'go'"):
        prepare_trials(nothing, SESSION, SHORT, 1)
    never = Intervals(spikes.trials.start, spikes.trials.stop, {**without, "go": np.full(24, np.nan)})
    with pytest.raises(DataError, match="no trial has a time 'go'"):
        prepare_trials(replace(spikes, trials=never), SESSION, SHORT, 1)


def test_whole_trials_of_spikes() -> None:
    settings = SESSION.model_copy(update={"align": None})
    data = prepare_trials(simulated_session(3, n_trials=24), settings, SHORT, 1).delayed(2)
    assert set(data.trajectories.lengths) == {60}
