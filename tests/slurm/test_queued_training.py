"""A training as a job of SLURM that is told that its time is up: it keeps a checkpoint and comes back."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from spikeline.artifacts import file_checksum, read_json
from spikeline.training import export_weights
from spikeline.training.checkpoints import Checkpoints
from spikeline.training.launcher import queue_folder
from tests.slurm.cluster import ROOT, wait_until
from tests.training.toy import toy, train

pytestmark = pytest.mark.slurm

CALL = (
    "import sys\n"
    "from spikeline.config.queue import QueueSettings\n"
    "from spikeline.training.launcher import run_in_queue\n"
    "from tests.training.queued_toy import train_toy\n"
    "folder, output, delay_s = sys.argv[1:]\n"
    "arguments = dict(folder=folder, output=output, delay_s=float(delay_s))\n"
    "queue = QueueSettings(minutes=10, cpus=1, memory_mb=1500)\n"
    "run_in_queue(train_toy, arguments, output, queue, name='toy', key='k', poll_s=1.0)\n"
)


def test_a_preempted_training_comes_back_and_ends_in_the_same_bytes(slurm: None, tmp_path: Path) -> None:
    output, work = tmp_path / "toy.safetensors", tmp_path / "work"
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'package'}"}
    with (tmp_path / "said.txt").open("wb") as said:
        waiting = subprocess.Popen(
            [sys.executable, "-c", CALL, str(work), str(output), "0.3"],
            cwd=ROOT, env=environment, stdout=said, stderr=subprocess.STDOUT,
        )  # fmt: skip
    job = ""
    try:
        wait_until(lambda: work.is_dir() and Checkpoints(work).steps(), 120, "a first checkpoint")
        job = read_json(queue_folder(output) / "job.json")["job_id"]
        for number in ("SIGTERM", "USR2"):  # what a job gets when it is preempted, in this order
            subprocess.run(["scancel", job, "--signal", number], check=True)
        [log] = queue_folder(output).glob("*_log.out")
        wait_until(lambda: "stopped by" in log.read_text(), 60, "a checkpoint of the step the signal came in")
        # SLURM lets a job wait before it starts it again: by default two minutes, here less (one_node.sh)
        wait_until(lambda: "goes on after step" in log.read_text(), 300, "the same job, started again")
        reached, after = (
            re.findall(rf"{words} (\d+)", log.read_text())[-1] for words in ("USR2 after step", "goes on after step")
        )
        assert reached == after
        assert waiting.wait(120) == 0, (tmp_path / "said.txt").read_text()
    finally:
        waiting.kill()
        waiting.wait()
        if job:
            subprocess.run(["scancel", job], check=False)
    model = toy()
    train(tmp_path / "whole", module=model)
    export_weights(model, tmp_path / "whole.safetensors", {"model": "toy"})
    assert file_checksum(output) == file_checksum(tmp_path / "whole.safetensors")
