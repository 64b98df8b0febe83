"""A run killed in the middle of its simulation, then started again, ends with the bytes of one never killed."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.workflow.running import checksums, command, environment, snakemake

pytestmark = [pytest.mark.workflow, pytest.mark.neuron]


def _kill_session(leader: int) -> None:
    """SIGKILL every process of a session, the jobs' own process groups included."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if os.getsid(int(entry.name)) == leader:
                    os.kill(int(entry.name), signal.SIGKILL)
            except ProcessLookupError:
                continue


def test_kill_during_the_bank(finished_run: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(
        command(tmp_path, "--cores", "2"),
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    currents = tmp_path / "results/ball_and_stick/simulation/currents"
    deadline = time.monotonic() + 240
    try:
        # A finished slice of an unfinished entry: the work of the killed job that the next one takes up.
        while not [path for path in currents.rglob("*.h5") if path.parent.name.startswith(".")]:
            assert time.monotonic() < deadline and process.poll() is None, "no slice was ever written"
            time.sleep(0.02)
    finally:
        _kill_session(process.pid)
        process.wait()
    assert not (tmp_path / "results/ball_and_stick/summary.json").exists()
    snakemake(tmp_path, "--unlock")
    snakemake(tmp_path, "--cores", "2", "--rerun-incomplete")
    assert checksums(tmp_path) == checksums(finished_run)
