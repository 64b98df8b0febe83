"""A training that was killed and started again ends in the same bytes as one that was not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from spikeline.artifacts import file_checksum
from spikeline.training import export_weights
from spikeline.training.checkpoints import Checkpoints
from tests.training.toy import toy, train

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def test_killed_at_any_moment(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.training.kills", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, cwd=ROOT, timeout=300)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["slow_is_same"]  # how fast batches come changes nothing
    assert all(kill["killed"] for kill in seen["disk"]) and len(seen["disk"]) >= 10
    assert [kill for kill in seen["disk"] if not kill["same"]] == []
    assert seen["random"]["kills"] >= 2 and len(seen["random"]["reached"]) >= 2
    assert seen["random"]["same"]


def _start(folder: Path, weights: Path, delay_s: float) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.training.toy", str(folder), str(weights), str(delay_s)]
    return subprocess.Popen(command, env=ENVIRONMENT, cwd=ROOT)


def _wait_for_checkpoint(process: subprocess.Popen[bytes], folder: Path, after: int) -> int:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert process.poll() is None, "it ended before it could be stopped"
        newest = max(Checkpoints(folder).steps(), default=0)
        if newest > after:
            return newest
        time.sleep(0.01)
    raise AssertionError("no checkpoint appeared")


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_another_process_goes_on(end: signal.Signals, tmp_path: Path) -> None:
    folder, weights = tmp_path / ".toy.work-1", tmp_path / "toy.safetensors"
    reached = 0
    for _ in range(2 if end == signal.SIGKILL else 1):
        process = _start(folder, weights, 0.03)
        reached = _wait_for_checkpoint(process, folder, reached)
        time.sleep(0.1)
        process.send_signal(end)
        assert process.wait(timeout=60) == -end
        assert not weights.exists()
    if end == signal.SIGTERM:  # the step it came in is kept, though it is none of those with a checkpoint
        assert max(Checkpoints(folder).steps()) % 10 != 0
    assert _start(folder, weights, 0.0).wait(timeout=60) == 0
    model = toy()
    train(tmp_path / "whole", module=model)
    export_weights(model, tmp_path / "whole.safetensors", {"model": "toy"})
    assert file_checksum(weights) == file_checksum(tmp_path / "whole.safetensors")
