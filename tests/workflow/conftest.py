"""One finished run of the ball-and-stick configuration, shared by the tests that look at it or change a copy of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.workflow.running import snakemake


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run made with two jobs at a time; not to be changed."""
    folder = tmp_path_factory.mktemp("finished")
    snakemake(folder, "--cores", "2")
    return folder


@pytest.fixture
def copied_run(finished_run: Path, tmp_path: Path) -> Path:
    """A copy of the finished run, times and Snakemake's records included, that a test may change."""
    folder = tmp_path / "run"
    shutil.copytree(finished_run, folder)
    return folder
