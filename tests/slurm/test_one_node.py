"""What the one-node cluster itself owes the other tests: a job's end is the end of all it started."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.slurm.cluster import wait_until

pytestmark = pytest.mark.slurm


def command_of(process: str) -> bytes:
    """Its command line; empty once it has ended, also while nobody has asked for its exit status."""
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""


def test_a_process_that_lost_its_parent_ends_with_its_job(slurm, tmp_path):
    lost = tmp_path / "lost"
    # The shell between dies at once, so its child belongs to init: no parent leads from it to the job.
    command = f"(setsid sleep 600 & echo $! >{lost}); sleep 2"
    subprocess.run(
        ["sbatch", "--wait", f"--output={tmp_path}/log", "--mem=500", f"--wrap={command}"], check=True, timeout=60
    )
    process = lost.read_text().strip()
    wait_until(lambda: not command_of(process), 15, "the process that lost its parent is gone")
