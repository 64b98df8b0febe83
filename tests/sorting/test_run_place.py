"""Where a sorter's files lie while it runs."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest

from spikeline.artifacts.atomic import is_leftover
from spikeline.config.sorting import SorterSettings
from spikeline.sorting.run import sort_recording
from tests.saved_recordings import closed_files, saved
from tests.sorting.simsort.simsort_fakes import FakePipeline, fake_pipeline
from tests.sorting.trains import synthetic_tetrode

__all__ = ["closed_files", "fake_pipeline"]
pytestmark = pytest.mark.usefixtures("closed_files")
DEAD = 2**22 + 1  # above the largest process number of Linux


def test_beside_the_sorting(fake_pipeline: FakePipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recording = saved(synthetic_tetrode(2.0)[0], tmp_path / "recording")
    left = tmp_path / "out" / f".sorting.h5.scratch.tmp-{DEAD}"
    left.mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "elsewhere"))
    sort_recording(recording, SorterSettings(sorter="simsort"), output=tmp_path / "out" / "sorting.h5")
    [call] = fake_pipeline.calls
    [place] = [folder for folder in call["folder"].parents if folder.parent == tmp_path / "out"]
    assert is_leftover(place)
    assert not list((tmp_path / "out").iterdir())  # nor what a killed one left
    sort_recording(recording, SorterSettings(sorter="simsort"))
    assert tmp_path / "elsewhere" in fake_pipeline.calls[1]["folder"].parents
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_place_relative_to_here_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recording, _ = synthetic_tetrode(3.0)
    monkeypatch.chdir(tmp_path)
    found = [
        sort_recording(recording, SorterSettings(sorter="simple"), seed=2, output=output).to_spike_vector()
        for output in (None, Path("out/sorting.h5"))
    ]
    assert len(found[0]) and np.array_equal(*found)
