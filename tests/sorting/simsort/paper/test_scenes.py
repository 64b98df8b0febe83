"""Trials as the published simulator makes them: sums of what was simulated, and nothing else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikeline.config.recordings import ProbeSettings
from spikeline.config.simsort.paper import PaperIdentifierSceneSettings, PaperSceneSettings
from spikeline.errors import DataError
from spikeline.simulation.recordings.placement import projection
from spikeline.simulation.recordings.probes import contact_positions, make_probe
from spikeline.sorting.simsort.paper.scenes import PaperScenes, edge_events, make_scene
from tests.simulation.recordings_fixtures import make_entry

ENTRIES = [make_entry(cell, rate_hz=20.0) for cell in ("cell_a", "cell_b", "cell_c")]


def settings(**values: Any) -> PaperSceneSettings:
    return PaperSceneSettings(**{"duration_s": 3.0, "units": 2, "labels": "peaks", **values})


@given(st.lists(st.integers(0, 600), unique=True, max_size=40).map(sorted))
def test_events_are_the_rising_edges_of_the_marks(spikes: list[int]) -> None:
    marks = np.zeros(1000, int)
    for spike in spikes:
        marks[100 + spike - 20 : 100 + spike + 40] = 1
    edges = np.flatnonzero(np.diff(marks) == 1) + 1
    found = edge_events(np.array(spikes, np.int64), 10_000.0)
    np.testing.assert_array_equal(found + 100 - 20, edges)


def test_a_trial_is_the_sum_of_its_cells_and_has_no_noise() -> None:
    one = settings(units=1, soma_placement="origin")
    scene = make_scene(ENTRIES[:1], one, 4, 1, stage="t")
    entry = ENTRIES[0]
    # where the tetrode lies and where the stretch begins is drawn; the spikes say the latter
    first = next(
        start
        for start in range(entry.n_samples - 30_000 + 1)
        if np.array_equal(
            entry.spike_samples[(entry.spike_samples >= start) & (entry.spike_samples < start + 30_000)] - start,
            scene.spike_samples,
        )
    )
    current = entry.coefficients[:, first : first + 30_000].astype(np.float64) * entry.scale[:, None]
    # 4 channels of rank 6: the traces are a linear map of the currents
    spans = np.linalg.lstsq(current.T, scene.traces.astype(np.float64), rcond=None)[0]
    assert np.abs(current.T @ spans - scene.traces).max() < 0.05
    assert scene.traces.shape == (30_000, 4) and scene.traces.std() > 0


def test_units_at_the_origin_lie_in_one_point() -> None:
    """With the tetrode's place known, the traces are those of all cells at zero."""
    values = settings(units=3, soma_placement="origin", duration_s=8.0)
    scene = make_scene(ENTRIES, values, 0, 1, stage="t")
    contacts = contact_positions(make_probe(ProbeSettings(kind="tetrode")))
    from spikeline.artifacts import seed_stream

    draw = seed_stream(1, "t", "0")
    order = draw.permutation(3)
    contacts = contacts - contacts[0] + draw.uniform(-30, 30, 3)
    expected = sum(
        projection(ENTRIES[i], np.eye(3), np.zeros(3), contacts) @ (ENTRIES[i].coefficients * ENTRIES[i].scale[:, None])
        for i in order
    )
    np.testing.assert_allclose(scene.traces, expected.T, atol=0.1)
    apart = make_scene(ENTRIES, values.model_copy(update={"soma_placement": "uniform"}), 0, 1, stage="t")
    np.testing.assert_array_equal(apart.spike_samples, scene.spike_samples)
    assert np.abs(apart.traces - scene.traces).max() > 1


def test_a_trial_depends_on_its_number_and_stream_alone() -> None:
    scenes = PaperScenes(ENTRIES, settings(trials=5), 1, stage="t")
    one = scenes(2)
    assert len(np.unique(one.unit_index)) == 2 and (np.diff(one.spike_samples) >= 0).all()
    np.testing.assert_array_equal(one.traces, PaperScenes(ENTRIES, settings(trials=5), 1, stage="t")(2).traces)
    assert scenes(7) is one  # there are five of them
    others = [
        scenes(3),
        PaperScenes(ENTRIES, settings(), 1, stage="u")(2),
        PaperScenes(ENTRIES, settings(), 2, stage="t")(2),
    ]
    assert not any(np.array_equal(other.traces, one.traces) for other in others)


def test_threads_that_ask_together_make_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    scenes, made = PaperScenes(ENTRIES, settings(), 1, stage="t", keep=8), []
    whole = PaperScenes._make
    monkeypatch.setattr(PaperScenes, "_make", lambda self, index: made.append(index) or whole(self, index))
    scenes = PaperScenes(ENTRIES, settings(), 1, stage="t", keep=8)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(scenes, [0, 1, 0, 1, 0, 1]))
    assert sorted(made) == [0, 1]


def test_the_labels_of_bursts() -> None:
    bursting = [make_entry("cell_a", rate_hz=60.0)]
    peaks = make_scene(bursting, settings(units=1), 0, 1, stage="t")
    edges = make_scene(bursting, settings(units=1, labels="edges"), 0, 1, stage="t")
    np.testing.assert_array_equal(edge_events(peaks.spike_samples, 1e4), edges.spike_samples)
    np.testing.assert_array_equal(peaks.traces, edges.traces)


def test_the_band_is_taken_of_the_traces() -> None:
    scene = make_scene(ENTRIES, settings(), 0, 1, stage="t")
    power = np.abs(np.fft.rfft(scene.band_passed[:, 0])) ** 2
    frequency = np.fft.rfftfreq(len(scene.traces), 1e-4)
    assert power[frequency < 100].sum() < 1e-3 * power.sum()
    assert scene.band_passed is scene.band_passed


def test_a_cell_that_fires_too_rarely_is_not_in_the_set() -> None:
    slow = make_entry("cell_slow", rate_hz=1.5)
    wanted = PaperIdentifierSceneSettings(duration_s=3.0, units=2, labels="peaks", spikes_per_unit=20)
    scenes = PaperScenes([*ENTRIES, slow], wanted, 1, stage="t")
    for index in range(6):
        assert min(map(len, scenes(index).trains)) >= 20
    with pytest.raises(DataError, match=r"fewer than 20 times in trial 0 of t[\s\S]*spikes_per_unit"):
        PaperScenes([slow], wanted, 1, stage="t")(0)


def test_fewer_entries_than_units_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    scene = PaperScenes(ENTRIES[:1], settings(units=5), 1, stage="t")(0)
    assert set(scene.unit_index) == {0}
    assert "t: 1 units in a trial" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("entries", "values", "cells", "message"),
    [
        ([], {}, None, "no bank entries"),
        (ENTRIES, {}, ["cell_a"], "cell_b, cell_c among the entries"),
        ([ENTRIES[0], make_entry("cell_b", sampling_rate_hz=20_000.0)], {}, None, "one rate"),
        (ENTRIES, {"duration_s": 9.0}, None, r"lasts 8 s in memory, a trial 9 s[\s\S]*simsort\.paper"),
    ],
)
def test_what_is_refused(entries: list[Any], values: dict[str, Any], cells: list[str] | None, message: str) -> None:
    with pytest.raises(DataError, match=message):
        PaperScenes(entries, settings(**values), 1, stage="t", allowed_cells=cells)(0)
