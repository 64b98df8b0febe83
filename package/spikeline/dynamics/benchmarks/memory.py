"""How much memory a process has held."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

__all__ = ["peak_memory_mb"]


def peak_memory_mb() -> float:
    """Largest resident memory of this process so far, imports included.

    The system's ``ru_maxrss`` begins with what the parent held when it started this process, so Linux's own count for
    this program comes first.
    """
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1e3 * 1.024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6
