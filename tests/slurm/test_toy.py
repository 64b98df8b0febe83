"""What must hold on any cluster, shown on rules that misbehave on purpose (toy/Snakefile)."""

from __future__ import annotations

import re
import signal
from collections import Counter
from pathlib import Path

import h5py
import pytest

from spikeline.artifacts import read_csv
from tests.slurm.cluster import Run, details, wait_until

pytestmark = pytest.mark.slurm


def running_commands(fragment: str) -> list[str]:
    """Command lines of living processes that hold ``fragment``."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = file.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if fragment in command:
            found.append(command)
    return found


def visible(folder: Path) -> list[str]:
    """Files a later rule or a person could take for results; an atomic write's hidden temporary is none."""
    return sorted(path.name for path in folder.glob("*") if not path.name.startswith("."))


def test_arrays_in_chunks_then_a_rerun_submits_nothing(launch):
    run = launch("--slurm-array-limit", "2", "--config", "shards=3", "--", "gather")
    run.succeed(120)
    jobs = run.jobs()
    assert {job.state for job in jobs} == {"COMPLETED"}
    arrays = Counter(job.array for job in jobs if "rule_shard" in job.comment)
    assert sorted(arrays.values()) == [1, 2] and None not in arrays
    assert sum("rule_gather" in job.comment for job in jobs) == 1 and len(jobs) == 4
    assert len(read_csv(run.directory / "results/gathered.csv")) == 3

    again = launch("--config", "shards=3", "--", "gather")
    assert "Nothing to be done" in again.succeed(60)
    assert again.jobs() == []


def test_a_job_killed_for_memory_succeeds_on_retry_with_more(launch):
    run = launch("--", "hungry")
    output = run.succeed(150)
    first, second = run.jobs()
    assert (first.memory_mb, first.state in {"FAILED", "OUT_OF_MEMORY"}) == (500, True)
    assert (second.memory_mb, second.state) == (1500, "COMPLETED")
    # Killed by SLURM for its memory, not failed by itself: SLURM's own words are in the log of the first job.
    logs = re.findall(rf"\(log: (\S*/{first.identifier}\.log)\)", output)
    assert "exceeded memory limit" in Path(logs[0]).read_text()
    assert "ExitCode=0:0" not in details(first)
    with h5py.File(run.directory / "results/hungry.h5") as file:
        assert file.attrs["spikeline_complete"]


def assert_nothing_left(run: Run) -> None:
    run.wait_for_end_of_jobs(20)
    assert {job.state for job in run.jobs()} <= {"CANCELLED", "FAILED"}
    wait_until(lambda: not running_commands(f"{run.directory}"), 15, "the processes of the run are gone")
    assert visible(run.directory / "results/slow") == []


def test_ctrl_c_leaves_no_job_and_no_half_written_output(launch):
    slow = launch("--config", "shards=3", "--", "all_slow")
    folder = slow.directory / "results/slow"
    # Two write, one waits for a CPU: each kind must go.
    wait_until(lambda: len(list(folder.glob(".*.h5.tmp-*"))) == 2, 60, "two jobs have a half-written file")
    assert sorted(job.state for job in slow.jobs()) == ["PENDING", "RUNNING", "RUNNING"]
    slow.signal(signal.SIGINT)
    assert slow.wait(60) != 0
    assert_nothing_left(slow)

    again = launch("--config", "shards=3", "slow_seconds=1", "--", "all_slow")
    again.succeed(120)
    assert visible(folder) == sorted(f"{shard}.h5{end}" for shard in range(3) for end in ("", ".manifest.json"))
    assert list(folder.glob(".*")) == []  # the next writer removes what the killed one left


def test_ctrl_c_during_submission_leaves_no_job(launch):
    run = launch("--config", "shards=3", "--", "all_slow")
    wait_until(lambda: "Execute 3 jobs" in run.output(), 30, "jobs are being submitted")
    run.signal(signal.SIGINT)
    assert run.wait(60) != 0
    assert_nothing_left(run)


def test_sigterm_finishes_what_runs_and_submits_nothing_more(launch):
    run = launch("--config", "shards=2", "--", "gather")
    wait_until(lambda: len(run.jobs()) == 2, 30, "the shards are submitted")
    run.process.send_signal(signal.SIGTERM)
    assert run.wait(90) != 0
    assert [job.state for job in run.jobs()] == ["COMPLETED", "COMPLETED"]
    assert visible(run.directory / "results") == ["shards"]
    for shard in range(2):
        with h5py.File(run.directory / f"results/shards/{shard}.h5") as file:
            assert file.attrs["spikeline_complete"]


def test_a_failure_names_the_log_and_shows_what_it_says(launch):
    run = launch("--", "results/broken/0.h5")
    assert run.wait(90) != 0
    assert [job.state for job in run.jobs()] == ["FAILED"]
    assert "logs/broken/0.log" in run.output()
    assert "no cell can be read" in run.output() and "what to do: check simulation.cells" in run.output()
