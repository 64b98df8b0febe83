"""Trainings as jobs of a queue, by submitit's executor for this machine."""

from __future__ import annotations

import os
import re
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from spikeline.artifacts import file_checksum
from spikeline.config.queue import QueueSettings
from spikeline.errors import ConfigError, DataError
from spikeline.training import export_weights, launcher
from spikeline.training.checkpoints import Checkpoints
from spikeline.training.launcher import queue_folder, run_in_queue
from tests.training.queued_toy import fail, forget, train_toy
from tests.training.toy import toy, train

ROOT = Path(__file__).parents[2]
LOCAL = QueueSettings(cluster="local", minutes=5)
CALL = (
    "import sys\n"
    "from spikeline.config.queue import QueueSettings\n"
    "from spikeline.training.launcher import run_in_queue\n"
    "from tests.training.queued_toy import train_toy\n"
    "folder, output, delay_s = sys.argv[1:]\n"
    "arguments = dict(folder=folder, output=output, delay_s=float(delay_s))\n"
    "queue = QueueSettings(cluster='local', minutes=5)\n"
    "run_in_queue(train_toy, arguments, output, queue, name='toy', key='k', poll_s=0.1)\n"
)


def _wait(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def _start(tmp_path: Path, delay_s: float) -> subprocess.Popen[bytes]:
    """Another process that trains as a job and waits for it."""
    with (tmp_path / "said.txt").open("wb") as said:
        return subprocess.Popen(
            [sys.executable, "-c", CALL, str(tmp_path / "work"), str(tmp_path / "toy.safetensors"), str(delay_s)],
            cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'package'}"},
            stdout=said, stderr=subprocess.STDOUT,
            # as a script does that starts it with &: cancelling must work nevertheless
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
        )  # fmt: skip


def _runs(process: int) -> bool:
    """Whether a process is at work; one that has ended stays in /proc until its parent or init asks for its status."""
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] not in "ZX"


def _said(tmp_path: Path) -> str:
    return (tmp_path / "said.txt").read_text()


@pytest.fixture(scope="module")
def checksum(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Of the weights of a training that nothing disturbed."""
    folder = tmp_path_factory.mktemp("whole")
    model = toy()
    train(folder / "whole", module=model)
    export_weights(model, folder / "whole.safetensors", {"model": "toy"})
    return file_checksum(folder / "whole.safetensors")


def test_told_that_its_time_is_up_it_keeps_a_checkpoint_and_goes_back_into_the_queue(
    tmp_path: Path, checksum: str
) -> None:
    waiting = _start(tmp_path, 0.1)
    folder = queue_folder(tmp_path / "toy.safetensors")
    _wait(lambda: Checkpoints(tmp_path / "work").steps(), "no checkpoint appeared")
    first = int((tmp_path / "work/process").read_text())
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    [log] = folder.glob("*_log.out")
    os.kill(first, signal.SIGTERM)  # as SLURM does before it preempts: submitit lets it pass
    _wait(lambda: "stopped by SIGTERM after step" in log.read_text(), "SIGTERM kept no checkpoint")
    os.kill(first, signal.SIGUSR2)  # the signal of submitit
    _wait(lambda: (tmp_path / "work/process").read_text() not in ("", str(first)), "it was not started again")
    reached = int(re.findall(r"stopped by SIGUSR2 after step (\d+), which is kept", log.read_text())[0])
    _wait(lambda: f"goes on after step {reached} of 60" in log.read_text(), "it did not go on where it stopped")
    assert waiting.wait(timeout=120) == 0, _said(tmp_path)
    assert file_checksum(tmp_path / "toy.safetensors") == checksum
    assert not folder.exists()


def test_started_again_it_waits_for_the_job_that_is_there(tmp_path: Path, checksum: str) -> None:
    first = _start(tmp_path, 0.1)
    record = queue_folder(tmp_path / "toy.safetensors") / "job.json"
    _wait(lambda: Checkpoints(tmp_path / "work").steps(), "no checkpoint appeared")
    other = {"folder": str(tmp_path / "work"), "output": str(tmp_path / "toy.safetensors"), "delay_s": 0.0}
    with pytest.raises(DataError, match="another process"):
        run_in_queue(train_toy, other, tmp_path / "toy.safetensors", LOCAL, name="toy", key="k")
    first.kill()  # as if the login node had gone down
    first.wait()
    assert record.is_file()
    with pytest.raises(DataError, match="with other settings"):
        run_in_queue(train_toy, other, tmp_path / "toy.safetensors", LOCAL, name="toy", key="another")
    process = (tmp_path / "work/process").read_text()
    second = _start(tmp_path, 0.1)
    assert second.wait(timeout=120) == 0, _said(tmp_path)
    assert "which is there already" in _said(tmp_path)
    assert (tmp_path / "work/process").read_text() == process  # the same job, not another one
    assert file_checksum(tmp_path / "toy.safetensors") == checksum


def test_stopped_it_cancels_the_job_and_goes_on_from_its_checkpoint_next_time(tmp_path: Path, checksum: str) -> None:
    # Most of a minute in all: it must not come to its end while it is told to stop.
    waiting = _start(tmp_path, 1.0)
    _wait(lambda: Checkpoints(tmp_path / "work").steps(), "no checkpoint appeared")
    trainer = int((tmp_path / "work/process").read_text())
    waiting.terminate()
    assert waiting.wait(timeout=60) != 0
    assert "cancels job" in _said(tmp_path)
    _wait(lambda: not _runs(trainer), "the training runs on")
    assert not (tmp_path / "toy.safetensors").exists()
    again = _start(tmp_path, 0.0)
    assert again.wait(timeout=120) == 0, _said(tmp_path)
    assert file_checksum(tmp_path / "toy.safetensors") == checksum


def test_what_goes_wrong_in_the_job_is_told_here(tmp_path: Path) -> None:
    output = tmp_path / "toy.safetensors"
    with pytest.raises(DataError, match=r"failed: spikeline\.errors\.DataError: no bank[\s\S]*what to do: try again"):
        run_in_queue(fail, {"reason": "no bank"}, output, LOCAL, name="toy", key="k", poll_s=0.1)
    [log] = queue_folder(output).glob("*_log.out")
    assert "no bank" in log.read_text()
    with pytest.raises(
        DataError, match=r"ended well, but .*toy\.safetensors"
    ):  # a new job: the failed one is no answer
        run_in_queue(forget, {"output": str(output)}, output, LOCAL, name="toy", key="k", poll_s=0.1)


def test_a_job_that_is_killed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "_FILE_SYSTEM_S", 0.1)
    with pytest.raises(DataError, match="ended without a word"):
        run_in_queue(os._exit, {"status": 3}, tmp_path / "a.h5", LOCAL, name="toy", key="k", poll_s=0.1)


def test_no_slurm_and_a_job_of_slurm_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="no SLURM on this machine"):
        run_in_queue(forget, {}, tmp_path / "a", QueueSettings(), name="toy", key="k")
    for name in ("sbatch", "srun"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    with pytest.raises(ConfigError, match="this is job 7 of SLURM itself"):
        run_in_queue(forget, {}, tmp_path / "a", QueueSettings(), name="toy", key="k")
    monkeypatch.setitem(sys.modules, "submitit", None)
    with pytest.raises(ConfigError, match=r"submitit.*is not installed[\s\S]*spikeline\[workflow\]"):
        run_in_queue(forget, {}, tmp_path / "a", LOCAL, name="toy", key="k")
    assert not queue_folder(tmp_path / "a").exists()


@pytest.mark.parametrize(
    ("answer", "status", "error", "alive"),
    [
        ("PENDING", 0, "", True),
        ("RUNNING", 0, "", True),
        ("PREEMPTED", 0, "", True),  # it comes back
        ("COMPLETED", 0, "", False),
        ("OUT_OF_MEMORY", 0, "", False),
        ("", 0, "", False),
        ("", 1, "slurm_load_jobs error: Invalid job id specified", False),  # forgotten by now
        ("", 1, "slurm_load_jobs error: Unable to contact slurm controller", True),  # ask again
    ],
)
def test_what_squeue_says_of_a_job(
    answer: str, status: int, error: str, alive: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from submitit.slurm.slurm import SlurmJob

    squeue = tmp_path / "squeue"
    squeue.write_text(f"#!/bin/sh\necho '{answer}'\necho '{error}' >&2\nexit {status}\n")
    squeue.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    job = SlurmJob(tmp_path, "12")
    assert launcher._is_alive(job) is alive
    job.paths.result_pickle.parent.mkdir(parents=True, exist_ok=True)
    job.paths.result_pickle.touch()
    assert launcher._is_alive(job) is False


def test_what_slurm_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The script that sbatch gets."""
    for name, text in {"sbatch": f'cp "$1" {tmp_path}/script\necho Submitted batch job 12', "srun": ""}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    queue = QueueSettings(partition="gpu", account="lab", minutes=30, memory_mb=6144, cpus=3, gpus=1, warning_s=60)
    job = launcher._submitted(forget, {"output": "a"}, tmp_path / "jobs", queue, "toy")
    assert job.job_id == "12"
    asked = {line.removeprefix("#SBATCH --") for line in (tmp_path / "script").read_text().splitlines()}
    assert asked >= {
        "partition=gpu", "account=lab", "time=30", "mem=6GB", "cpus-per-task=3", "gpus-per-node=1",
        "job-name=toy", "signal=USR2@60", "nodes=1", "ntasks-per-node=1", "open-mode=append",
    }  # fmt: skip
