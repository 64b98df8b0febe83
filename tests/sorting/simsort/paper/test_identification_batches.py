"""Triplets: two spikes of a unit and one of another."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from spikeline.artifacts import seed_stream
from spikeline.config.simsort.paper import PaperIdentifierSceneSettings
from spikeline.errors import DataError
from spikeline.sorting.simsort.paper.identification_batches import PaperIdentificationBatches, _draw_triplets
from spikeline.sorting.simsort.paper.preprocessing import low_passed_snippets
from spikeline.sorting.simsort.paper.scenes import PaperScenes
from spikeline.sorting.simsort.paper.snippets import paper_snippets, whole_snippets
from tests.simulation.recordings_fixtures import make_entry

SETTINGS = PaperIdentifierSceneSettings(duration_s=2.0, units=2, spikes_per_unit=6)
OPTIONS: dict[str, Any] = {"triplets": 32, "scenes_per_batch": 3, "steps_per_scene": 2}


@pytest.fixture
def scenes() -> PaperScenes:
    return PaperScenes(
        [make_entry(c, rate_hz=20.0) for c in ("cell_a", "cell_b", "cell_c")], SETTINGS, 1, stage="t", keep=8
    )


def test_a_positive_is_another_spike_of_the_unit_and_a_negative_of_another_unit() -> None:
    counts = [2, 7, 3]
    chosen = _draw_triplets(counts, 4000, seed_stream(0, "test"))
    (unit, spike), (same, positive), (other, negative) = (chosen[role] for role in ("anchor", "positive", "negative"))
    assert (same == unit).all() and (positive != spike).all() and (other != unit).all()
    for which, of in ((unit, spike), (same, positive), (other, negative)):
        assert {(int(u), int(s)) for u, s in zip(which, of, strict=True)} == {
            (u, s) for u, count in enumerate(counts) for s in range(count)
        }
    # every spike is as likely an anchor as any other
    np.testing.assert_allclose(np.bincount(unit) / 4000, np.array(counts) / 12, atol=0.03)


def test_snippets_are_cut_from_the_first_spikes(scenes: PaperScenes) -> None:
    plain = PaperIdentificationBatches(scenes, **OPTIONS, low_pass=False, augmentation=False)
    batch = plain.batch(3)
    pool: dict[bytes, tuple[int, int]] = {}
    for number in range(4, 7):  # 3 * 3 // 2 and the two after it
        scene = scenes(number)
        for unit, train in enumerate(scene.trains):
            first = train[:6]
            for snippet in paper_snippets(scene.traces, first[whole_snippets(first, len(scene.traces))]):
                pool[snippet.tobytes()] = (number, unit)
    owner = {role: [pool[snippet.tobytes()] for snippet in batch[role]] for role in batch}
    assert owner["anchor"] == owner["positive"]
    assert not any(a == n for a, n in zip(owner["anchor"], owner["negative"], strict=True))
    assert batch["anchor"].shape == (32, 60, 4) and batch["anchor"].dtype == np.float32


def test_switches(scenes: PaperScenes) -> None:
    plain = PaperIdentificationBatches(scenes, **OPTIONS, low_pass=False, augmentation=False).batch(0)
    filtered = PaperIdentificationBatches(scenes, **OPTIONS, augmentation=False).batch(0)
    expected = low_passed_snippets(plain["anchor"], 1e4).astype(np.float32)
    np.testing.assert_allclose(filtered["anchor"], expected)
    augmented = PaperIdentificationBatches(scenes, **OPTIONS).batch(0)
    changed = (augmented["anchor"] != filtered["anchor"]).any(axis=(1, 2)).mean()
    assert 0.2 < changed < 0.8  # half of them
    banded = PaperIdentificationBatches(scenes, **OPTIONS, band_pass=True, low_pass=False, augmentation=False).batch(0)
    assert not np.allclose(banded["anchor"], plain["anchor"])


def test_a_batch_depends_on_its_step_alone_and_the_shift_on_the_seed(scenes: PaperScenes) -> None:
    one, other = PaperIdentificationBatches(scenes, **OPTIONS), PaperIdentificationBatches(scenes, **OPTIONS)
    other.batch(9)
    for name, part in one.batch(5).items():
        np.testing.assert_array_equal(part, other.batch(5)[name])
    elsewhere = PaperScenes(scenes.entries, SETTINGS, 1, stage="t-validation")
    assert PaperIdentificationBatches(elsewhere).largest_shift == one.largest_shift
    shifts = {
        PaperIdentificationBatches(PaperScenes(scenes.entries, SETTINGS, s, stage="t")).largest_shift for s in range(20)
    }
    assert len(shifts) > 5


def test_one_unit_is_refused(scenes: PaperScenes) -> None:
    lonely = PaperScenes(scenes.entries[:1], SETTINGS, 1, stage="t")
    with pytest.raises(DataError, match="1 units with two whole spikes"):
        PaperIdentificationBatches(lonely, triplets=8, scenes_per_batch=1).batch(0)


def test_peaks_at_the_ends_have_no_snippet() -> None:
    traces, peaks = np.arange(200.0)[:, None] * np.ones(4), np.array([19, 20, 160, 161])
    np.testing.assert_array_equal(whole_snippets(peaks, 200), [False, True, True, False])
    cut = paper_snippets(traces, peaks[1:3])
    assert cut.shape == (2, 60, 4) and cut[0, 20, 0] == 20 and cut[1, 20, 0] == 160
    with pytest.raises(DataError, match="whole snippets"):
        paper_snippets(traces, peaks)
