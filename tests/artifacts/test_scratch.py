"""Folders beside an artefact for the time it is made in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from spikeline.artifacts import scratch_beside
from spikeline.artifacts.atomic import is_leftover

DEAD = 2**22 + 1  # above the largest process number of Linux


def test_an_empty_folder_beside_that_goes_whatever_happens(tmp_path: Path) -> None:
    with scratch_beside(tmp_path / "new" / "sorting.h5") as folder:
        assert folder.parent == tmp_path / "new" and not list(folder.iterdir())
        assert is_leftover(folder)  # were the process killed now
        (folder / "inner").mkdir()
        (folder / "inner" / "traces.raw").write_bytes(b"x")
    assert not list((tmp_path / "new").iterdir())
    with pytest.raises(KeyboardInterrupt), scratch_beside(tmp_path / "a") as folder:
        (folder / "traces.raw").write_bytes(b"x")
        raise KeyboardInterrupt
    assert not list(tmp_path.glob(".a*"))


def test_leftovers_of_dead_processes_go_and_of_living_ones_stay(tmp_path: Path) -> None:
    dead, living, other = (
        tmp_path / name
        for name in (f".a.scratch.tmp-{DEAD}", f".a.scratch.tmp-{os.getppid()}", f".b.scratch.tmp-{DEAD}")
    )
    for folder in (dead, living, other):
        folder.mkdir()
        (folder / "traces.raw").write_bytes(b"x")
    with scratch_beside(tmp_path / "a"):
        pass
    assert set(tmp_path.iterdir()) == {living, other}
