"""One finished run of the ball-and-stick configuration, shared by the tests that look at it or change a copy of it."""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path

import pytest

from tests.workflow.running import snakemake


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run made with two jobs at a time; not to be changed.

    Tests that run in several processes at a time share one: the first to ask makes it, the others wait.
    """
    alone = "PYTEST_XDIST_WORKER" not in os.environ
    base = tmp_path_factory.getbasetemp()
    folder = (base if alone else base.parent) / "finished_run"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.with_suffix(".done").exists():
            shutil.rmtree(folder, ignore_errors=True)  # another process failed at it
            snakemake(folder, "--cores", "2")
            folder.with_suffix(".done").touch()
    return folder


@pytest.fixture
def copied_run(finished_run: Path, tmp_path: Path) -> Path:
    """A copy of the finished run, times and Snakemake's records included, that a test may change."""
    folder = tmp_path / "run"
    shutil.copytree(finished_run, folder)
    return folder
