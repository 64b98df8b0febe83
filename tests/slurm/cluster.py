"""Run Snakemake on the one-node cluster and ask SLURM, not Snakemake, what became of the jobs."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROFILE = ROOT / "workflow/profiles/slurm-onenode"
TOY = ROOT / "tests/slurm/toy/Snakefile"
ENDED = {"BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "TIMEOUT"}


def _ask(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout


def problem() -> str | None:
    """Why no job can run here, or None."""
    remedy = "start one with `sudo tests/slurm/one_node.sh start`"
    if shutil.which("sinfo") is None:
        return f"SLURM is not installed: {remedy}"
    seen = subprocess.run(["sinfo", "--noheader", "--format=%t"], capture_output=True, text=True, timeout=30)
    if seen.returncode != 0:
        return f"no SLURM controller answers ({seen.stderr.strip().splitlines()[-1:]}): {remedy}"
    if not re.search(r"idle|mix|alloc|comp", seen.stdout):
        return f"the node takes no jobs (state {seen.stdout.split()}): {remedy}"
    return None


@dataclass(frozen=True)
class Job:
    """One job, or one task of an array, as squeue shows it."""

    identifier: str
    array: str | None
    state: str
    memory_mb: int
    comment: str


def jobs_named(name: str) -> list[Job]:
    """All jobs of one run, ended ones included (SLURM forgets them only after MinJobAge)."""
    listed = _ask("squeue", "--array", "--states=all", "--noheader", f"--name={name}", "--format=%i|%F|%K|%T|%m|%k")
    jobs = []
    for line in listed.splitlines():
        identifier, array, task, state, memory, comment = line.split("|")
        jobs.append(Job(identifier, array if task != "N/A" else None, state, int(memory.removesuffix("M")), comment))
    return sorted(jobs, key=lambda job: [int(part) for part in job.identifier.split("_")])


def details(job: Job) -> str:
    """What `scontrol show job` says."""
    return _ask("scontrol", "show", "job", job.identifier)


def wait_until(condition: Callable[[], object], seconds: float, what: str) -> None:
    """Poll ``condition``; fail the test with ``what`` if it does not hold in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"after {seconds} s still not: {what}"
        time.sleep(0.25)


class Run:
    """One `snakemake` on the cluster, in its own process group as in a terminal."""

    def __init__(self, directory: Path, number: int, *arguments: str, snakefile: Path = TOY) -> None:
        self.directory, self.log = directory, directory / f"run-{number}.txt"
        command = [sys.executable, "-m", "snakemake", "--snakefile", snakefile, "--directory", directory]
        command += ["--workflow-profile", PROFILE, "--nocolor", *arguments]
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        with self.log.open("w") as stream:
            self.process = subprocess.Popen(
                list(map(str, command)),
                stdout=stream,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                # A process started in the background inherits "ignore Ctrl-C"; one started in a terminal does not.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
                env=os.environ | {"PATH": path},
            )

    def output(self) -> str:
        return self.log.read_text()

    def jobs(self) -> list[Job]:
        """What SLURM knows of this run; empty before the run has its name."""
        name = re.search(r"SLURM run ID: (\S+)", self.output())
        return jobs_named(name[1]) if name else []

    def wait(self, seconds: float) -> int:
        """The exit status."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"snakemake still runs after {seconds} s; jobs: {self.jobs()}\n{self.output()[-4000:]}"
            ) from None

    def succeed(self, seconds: float) -> str:
        """Wait for a successful end; the output."""
        assert self.wait(seconds) == 0, self.output()[-6000:]
        return self.output()

    def signal(self, number: int) -> None:
        """Send a signal to the whole process group, as a terminal does on Ctrl-C."""
        os.killpg(self.process.pid, number)

    def wait_for_end_of_jobs(self, seconds: float) -> None:
        wait_until(lambda: all(job.state in ENDED for job in self.jobs()), seconds, f"no job left in {self.jobs()}")

    def clean_up(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.signal(signal.SIGKILL)
        self.process.wait(10)
        alive = [job.identifier for job in self.jobs() if job.state not in ENDED]
        if alive:
            subprocess.run(["scancel", *alive], timeout=30, check=False)
