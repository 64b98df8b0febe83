"""A scene that cannot be is drawn again, and stays a function of its number."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from spikeline.config.simsort import SceneSettings
from spikeline.errors import DataError
from spikeline.sorting.simsort.prepared_scenes import PreparedScenes
from spikeline.sorting.simsort.training_scenes import TrainingScenes
from tests.simulation.recordings_fixtures import make_entry

SHORT = SceneSettings(duration_s=2.0, units=(2, 3), distance_um=(10.0, 40.0))


def test_possible_scenes_are_as_they_are() -> None:
    entries = [make_entry("cell_a"), make_entry("cell_b")]
    plain, careful = (kind(entries, SHORT, 1, stage="x") for kind in (PreparedScenes, TrainingScenes))
    np.testing.assert_array_equal(plain(3).traces, careful(3).traces)


def test_crowded_scenes_are_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, tried = PreparedScenes._make, []

    def crowded(self: PreparedScenes, index: int) -> Any:
        tried.append(index)
        if len(tried) < 3:
            raise DataError("only 1 of 2 units could be placed", "room", "ask for fewer")
        return whole(self, index)

    monkeypatch.setattr(PreparedScenes, "_make", crowded)
    scenes = TrainingScenes([make_entry("cell_a")], SHORT, 1, stage="x")
    first = scenes(7)
    assert len(set(tried)) == 3 and tried[0] == 7
    tried.clear()
    again = TrainingScenes([make_entry("cell_a")], SHORT, 1, stage="x")(7)
    np.testing.assert_array_equal(first.traces, again.traces)


def test_a_cell_too_weak_to_be_heard_is_an_error() -> None:
    scenes = TrainingScenes([make_entry("cell_a", amplitude_na=0.01)], SHORT, 1, stage="x")
    with pytest.raises(DataError, match="scene 0 of x cannot be made"):
        scenes(0)
