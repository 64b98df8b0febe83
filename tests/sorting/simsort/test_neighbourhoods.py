"""Groups of channels that leave none out and keep neighbours together."""

from __future__ import annotations

import numpy as np
import pytest
import spikeinterface as si

from spikeline.sorting.simsort.neighbourhoods import Neighbourhoods, make_neighbourhoods, neighbourhoods_of


def line(n: int) -> np.ndarray:
    return np.stack([np.zeros(n), 20.0 * np.arange(n)], axis=1)


def grid(rows: int, columns: int, pitch: float = 30.0) -> np.ndarray:
    return pitch * np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1).reshape(-1, 2).astype(float)


def staggered(n: int) -> np.ndarray:
    """Four columns of contacts, every other row moved: 384 of them are a shank of a common long probe."""
    rows = np.arange(n) // 2
    return np.stack([16.0 * (rows % 2) + 32.0 * (np.arange(n) % 2), 20.0 * rows], axis=1)


PROBES = {
    "one": line(1), "two": line(2), "three": line(3), "four": line(4), "five": line(5), "line of 32": line(32),
    "grid of 16": grid(4, 4), "grid of 32": grid(8, 4), "384": staggered(384),
    "tetrodes": np.concatenate([grid(2, 2, 13.0) + np.array([500.0 * i, 0]) for i in range(4)]),
    "in space": np.random.default_rng(0).uniform(0, 200, (20, 3)),
}  # fmt: skip


@pytest.fixture(params=PROBES, scope="module")
def probe(request: pytest.FixtureRequest) -> tuple[np.ndarray, Neighbourhoods]:
    return PROBES[request.param], make_neighbourhoods(PROBES[request.param])


def test_every_channel_is_in_a_group_of_at_most_four(probe: tuple[np.ndarray, Neighbourhoods]) -> None:
    where, made = probe
    assert {channel for group in made.groups for channel in group.tolist()} == set(range(len(where)))
    assert all(len(np.unique(group)) == len(group) == min(4, len(where)) for group in made.groups)
    assert all((np.diff(group) > 0).all() for group in made.groups)
    assert len({tuple(group.tolist()) for group in made.groups}) == len(made.groups) <= max(1, len(where))


def test_a_channel_is_together_with_its_nearest(probe: tuple[np.ndarray, Neighbourhoods]) -> None:
    where, made = probe
    away = np.linalg.norm(where[:, None] - where[None], axis=-1) + np.where(np.eye(len(where)), np.inf, 0)
    for channel in range(len(where)):
        mates = {mate for group in made.groups if channel in group for mate in group.tolist()} - {channel}
        if len(where) > 1:
            assert away[channel, sorted(mates)].min() == pytest.approx(away[channel].min(), abs=1e-3)


def test_home_and_surroundings(probe: tuple[np.ndarray, Neighbourhoods]) -> None:
    where, made = probe
    assert len(made.home) == len(where) and len(made.surroundings) == len(made.groups)
    for channel, home in enumerate(made.home):
        assert channel in made.groups[home]
    for group, around in zip(made.groups, made.surroundings, strict=True):
        assert set(group.tolist()) <= set(around.tolist())
        assert len(around) <= max(4, (np.linalg.norm(where[group][:, None] - where, axis=-1).min(axis=0) < 100).sum())


def test_tetrodes_far_apart_are_groups_of_their_own() -> None:
    groups = make_neighbourhoods(PROBES["tetrodes"]).groups
    assert [group.tolist() for group in groups] == [list(range(4 * i, 4 * i + 4)) for i in range(4)]


def test_hairs_breadths_do_not_decide() -> None:
    where = grid(8, 4)
    whole = make_neighbourhoods(where)
    for change in (lambda xy: xy + 1e-6 * np.random.default_rng(1).normal(size=xy.shape), lambda xy: xy + 1000.0):
        other = make_neighbourhoods(change(where))
        assert [group.tolist() for group in other.groups] == [group.tolist() for group in whole.groups]
        np.testing.assert_array_equal(other.home, whole.home)


def test_tetrodes_placed_in_one_spot_share_no_group() -> None:
    recording = si.NumpyRecording([np.zeros((10, 12), np.float32)], 10_000.0)
    where = np.concatenate([grid(2, 2, 13.0) + 2 * tetrode for tetrode in range(3)])  # no two contacts may coincide
    recording.set_dummy_probe_from_locations(where)
    recording.set_channel_groups(np.repeat(["b", "a", "c"], 4))
    made = neighbourhoods_of(recording)
    assert sorted(group.tolist() for group in made.groups) == [list(range(4 * i, 4 * i + 4)) for i in range(3)]
    assert [made.groups[home].tolist() for home in made.home[::4]] == [list(range(4 * i, 4 * i + 4)) for i in range(3)]
    assert [around.tolist() for around in made.surroundings] == [group.tolist() for group in made.groups]


def test_shanks_that_are_mixed_in_the_file_stay_apart() -> None:
    where, shank = grid(6, 2, 25.0), np.arange(12) % 2
    recording = si.NumpyRecording([np.zeros((10, 12), np.float32)], 10_000.0)
    recording.set_dummy_probe_from_locations(where)
    whole = neighbourhoods_of(recording)
    expected = make_neighbourhoods(where)
    assert [group.tolist() for group in whole.groups] == [group.tolist() for group in expected.groups]
    recording.set_channel_groups(shank)
    made = neighbourhoods_of(recording)
    assert all(len(set(shank[group])) == 1 for group in [*made.groups, *made.surroundings])
    for channel, home in enumerate(made.home):
        assert channel in made.groups[home]
