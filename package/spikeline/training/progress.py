"""A progress bar, where somebody is looking."""

from __future__ import annotations

import sys
from typing import Any

__all__ = ["ProgressBar"]


class ProgressBar:
    """One line of steps, remaining time and the latest loss; nothing at all where stderr is no terminal.

    Parameters
    ----------
    name
        What is trained.
    steps
        Length of the training.
    """

    def __init__(self, name: str, steps: int) -> None:
        self._bar: Any = None
        if not sys.stderr.isatty():
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = [
            TextColumn(name),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
        ]
        self._bar = Progress(*columns, console=Console(stderr=True))
        self._task = self._bar.add_task(name, total=steps, note="")
        self._bar.start()

    def show(self, step: int, loss: float) -> None:
        """Move to ``step``."""
        if self._bar is not None:
            self._bar.update(self._task, completed=step, note=f"loss {loss:.4g}")

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
