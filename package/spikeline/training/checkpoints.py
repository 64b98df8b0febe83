"""The checkpoints of one training: a folder with the last two, of which the newest whole one counts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from spikeline.artifacts import Provenance, manifest_path
from spikeline.errors import FormatError
from spikeline.training.state_file import read_state, write_state

__all__ = ["Checkpoints"]

_NAME = re.compile(r"checkpoint-(\d+)\.safetensors")
_KEPT = 2  # the newest, and the one before in case the newest turns out damaged


class Checkpoints:
    """Write, find and thin out checkpoints.

    Parameters
    ----------
    folder
        Of one training alone; made if it is missing.
    provenance
        For the manifests.
    """

    def __init__(self, folder: Path, provenance: Provenance | None = None) -> None:
        self.folder, self._provenance = folder, provenance
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, step: int) -> Path:
        """Where the checkpoint after ``step`` steps lies."""
        return self.folder / f"checkpoint-{step:09d}.safetensors"

    def steps(self) -> list[int]:
        """Steps that have a checkpoint, whole or not, in order."""
        found = (_NAME.fullmatch(path.name) for path in self.folder.iterdir())
        return sorted(int(match[1]) for match in found if match)

    def write(self, step: int, state: dict[str, Any]) -> None:
        """Write a checkpoint; older ones than the last two go once it is whole."""
        write_state(self.path(step), state, self._provenance)
        for old in self.steps()[:-_KEPT]:
            self._remove(old)

    def newest(self) -> tuple[int, dict[str, Any]] | None:
        """Step and state of the newest whole checkpoint; damaged ones are named, removed and passed over."""
        for step in reversed(self.steps()):
            try:
                return step, read_state(self.path(step))
            except FormatError as error:
                print(f"training: passed over {self.path(step).name}: {error.seen}", flush=True)
                self._remove(step)
        return None

    def _remove(self, step: int) -> None:
        # The manifest goes first: a checkpoint without one counts as unfinished, one without its file does not exist.
        manifest_path(self.path(step)).unlink(missing_ok=True)
        self.path(step).unlink(missing_ok=True)
