"""Kill a training with SIGKILL again and again. Run as a script: ``python -m tests.training.kills FOLDER``.

One process imports everything, once, and forks the trainings; what it saw goes to stdout as JSON.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from spikeline.artifacts import file_checksum
from spikeline.training import export_weights
from spikeline.training.checkpoints import Checkpoints
from tests.training.toy import ToyBatches, toy, train

STEPS = ("fsync", "replace", "unlink")


def attempt(folder: Path, delay_s: float, before: Callable[[], None] = lambda: None) -> int:
    """Start training in a child; its process id."""
    child = os.fork()
    if child == 0:
        os.dup2(2, 1)
        try:
            before()
            model = toy()
            train(folder, ToyBatches(delay_s), module=model, keep="best", best_metric="error")
            export_weights(model, folder.with_suffix(".safetensors"), {})
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    return child


def outcome(folder: Path) -> list[str]:
    """Checksums of the weights and of what the logs say apart from speed."""
    rows = (folder / "training.csv").read_text().splitlines()
    log = "\n".join(",".join(row.split(",")[:-2]) for row in rows)
    return [file_checksum(folder.with_suffix(".safetensors")), log, (folder / "validation.csv").read_text()]


def whole(folder: Path, delay_s: float = 0.0) -> list[str]:
    """Train to the end."""
    assert os.waitpid(attempt(folder, delay_s), 0)[1] == 0
    return outcome(folder)


def at_any_time(folder: Path) -> dict[str, Any]:
    """Kill three times, at a random moment after a new checkpoint, then let it end."""
    clock, kills, reached = random.Random(1), 0, set()
    while True:
        before = max(Checkpoints(folder).steps(), default=0)
        child = attempt(folder, 0.02)
        while True:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                assert status == 0
                return {"kills": kills, "reached": sorted(reached), "outcome": outcome(folder)}
            if kills < 3 and max(Checkpoints(folder).steps(), default=0) > before:
                break
            time.sleep(0.002)
        time.sleep(clock.uniform(0, 0.05))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        kills += 1
        reached.add(max(Checkpoints(folder).steps(), default=0))


def at_disk_step(folder: Path, last: int) -> bool:
    """Kill at one call on the disk, before it (even numbers) or after it; whether there was such a call."""
    seen = 0

    def count() -> None:
        def reached() -> None:
            nonlocal seen
            if seen == last:
                os.kill(os.getpid(), signal.SIGKILL)
            seen += 1

        def wrapped(function: Callable[..., Any]) -> Callable[..., Any]:
            def call(*arguments: Any, **options: Any) -> Any:
                reached()
                result = function(*arguments, **options)
                reached()
                return result

            return call

        for name in STEPS:
            setattr(os, name, wrapped(getattr(os, name)))

    return os.WIFSIGNALED(os.waitpid(attempt(folder, 0.0, count), 0)[1])


def run(base: Path) -> dict[str, Any]:
    expected = whole(base / "whole")
    slow = whole(base / "slow", 0.002)
    disk = []
    # From the second checkpoint on, whose writing is followed by one that removes an older one.
    for step in range(18, 66, 4):
        folder = base / f"disk-{step}"
        killed = at_disk_step(folder, step)
        disk.append({"step": step, "killed": killed, "same": whole(folder) == expected})
    random_times = at_any_time(base / "random")
    same = random_times.pop("outcome") == expected
    return {"slow_is_same": slow == expected, "disk": disk, "random": {**random_times, "same": same}}


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1]))))
