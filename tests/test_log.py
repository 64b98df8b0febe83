"""A job's log holds everything the process prints; the terminal gets the last word."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

START = "from spikeline.log import log_to; log_to({path!r})\n"


def run(path: Path, code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", START.format(path=str(path)) + code], capture_output=True, text=True, check=False
    )


def test_output_of_python_and_of_c_goes_to_the_log(tmp_path: Path) -> None:
    log = tmp_path / "deep" / "job.log"
    done = run(log, "import os; print('from python', flush=True); os.system('echo from a child')")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert log.read_text().splitlines() == ["from python", "from a child"]


def test_an_error_of_ours_reaches_the_terminal_without_a_traceback(tmp_path: Path) -> None:
    log = tmp_path / "job.log"
    done = run(log, "from spikeline.errors import DataError; raise DataError('a hole', 'a wall', 'build it')")
    assert done.returncode == 1
    assert done.stderr == f"DataError: a hole\n  expected: a wall\n  what to do: build it\n  full log: {log}\n"
    assert "Traceback" in log.read_text()


def test_an_unexpected_error_says_so(tmp_path: Path) -> None:
    done = run(tmp_path / "job.log", "1 / 0")
    assert done.stderr.startswith("unexpected ZeroDivisionError")


def test_a_cancelled_job_cleans_up(tmp_path: Path) -> None:
    code = "import sys, time\ntry:\n    print('started', flush=True); time.sleep(60)\nfinally:\n    print('cleaned')\n"
    log = tmp_path / "job.log"
    process = subprocess.Popen([sys.executable, "-c", START.format(path=str(log)) + code])
    while not (log.exists() and "started" in log.read_text()):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 128 + signal.SIGTERM
    assert log.read_text().splitlines() == ["started", "cleaned"]
