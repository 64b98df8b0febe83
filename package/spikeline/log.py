"""A job's log: everything the process prints, C libraries included, and a last word on the terminal if it fails."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from pathlib import Path
from types import TracebackType

from spikeline.errors import SpikelineError

__all__ = ["log_to"]


def log_to(path: str | Path) -> None:
    """Send stdout and stderr of this process to ``path`` from now on.

    File descriptors are redirected, not Python's streams alone, because NEURON and compilers print from C. An uncaught
    error goes to the log with its traceback; the terminal gets its message and the log's name.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    terminal = os.fdopen(os.dup(2), "w")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)

    def last_word(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        traceback.print_exception(kind, error, trace)
        name = kind.__name__ if isinstance(error, SpikelineError) else f"unexpected {kind.__name__}"
        terminal.write(f"{name}: {error}\n  full log: {path}\n")
        terminal.flush()

    sys.excepthook = last_word
    # A cancelled job gets SIGTERM, which ends Python without cleaning up; as an exit it leaves no temporary behind.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
