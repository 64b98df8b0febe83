"""What the numbers were taken on."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
from collections.abc import Iterable
from pathlib import Path
from typing import Any

__all__ = ["load_average", "machine_facts"]


def load_average() -> float | None:
    """Processes that wanted a core over the last minute, or None where the system does not say."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _usable_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def machine_facts(packages: Iterable[str] = ("numpy", "numba", "neuron")) -> dict[str, Any]:
    """Processor, usable cores, system, versions and date; nothing that names the machine or its user."""
    return {
        "processor": _processor(),
        "cores": _usable_cores(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: importlib.metadata.version(name) for name in sorted(packages)},
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }
