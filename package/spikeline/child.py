"""Work in processes of their own: NEURON holds one cell per process, and peers live in another environment.

A plain program is given two file names: it reads its job from the first, a JSON file, and writes its answer to the
second. If it measures, its interpreter and imports start before its clock does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from spikeline.artifacts import read_json
from spikeline.errors import DataError

__all__ = ["answer", "module_command", "run_child"]


def module_command(module: str) -> list[str]:
    """The command that runs a module of this package with this interpreter."""
    return [sys.executable, "-m", module]


def run_child(
    command: Sequence[str], job: Mapping[str, Any], threads: int = 1, limit_s: float | None = None
) -> Mapping[str, Any]:
    """Run a program on a job and return its answer.

    Parameters
    ----------
    command
        Interpreter and program.
    job
        Plain values.
    threads
        What OpenMP, BLAS and numba are held to.
    limit_s
        It is killed if it takes longer.

    Raises
    ------
    DataError
        If the program cannot be started, fails or takes too long; its last lines are in the message.
    """
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
    environment = {**os.environ, **dict.fromkeys(names, str(threads))}
    with tempfile.TemporaryDirectory() as folder:
        question, result = Path(folder) / "job.json", Path(folder) / "result.json"
        question.write_text(json.dumps(job), encoding="utf-8")
        try:
            done = subprocess.run(
                [*command, str(question), str(result)],
                env=environment,
                capture_output=True,
                text=True,
                check=False,
                timeout=limit_s,
            )
        except subprocess.TimeoutExpired as error:
            raise DataError(
                f"{' '.join(command)} did not end within {limit_s:.0f} s",
                "an end",
                "give it less to do, or more time",
            ) from error
        except OSError as error:
            raise DataError(
                f"{command[0]} cannot be started ({error})", "an interpreter", "run the rule that makes it"
            ) from error
        # What the program printed belongs in the log of whoever started it
        print(done.stdout, end="")
        print(done.stderr, end="", file=sys.stderr)
        if done.returncode != 0 or not result.exists():
            last = "\n    ".join((done.stdout + done.stderr).strip().splitlines()[-15:])
            raise DataError(
                f"{' '.join(command)} failed with exit status {done.returncode}; its last lines:\n    {last}",
                "an answer",
                "see the lines above; if they name a missing package of the peers, delete their folder and run again",
            )
        return read_json(result)


def answer(measure: Callable[..., Mapping[str, Any]]) -> None:
    """The other end: measure the job named on the command line, its values as keywords, and write what came out."""
    job, result = sys.argv[1:]
    measured = measure(**read_json(job))
    Path(result).write_text(json.dumps(dict(measured)), encoding="utf-8")
