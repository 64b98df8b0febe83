"""A progress bar, where somebody is looking."""

from __future__ import annotations

import sys
from typing import Any

__all__ = ["ProgressBar"]


class ProgressBar:
    """One line of steps, remaining time and a note; nothing at all where stderr is no terminal.

    Parameters
    ----------
    name
        What is done.
    steps
        Of how many steps.
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

    def show(self, step: int, note: str = "") -> None:
        """Move to ``step``."""
        if self._bar is not None:
            self._bar.update(self._task, completed=step, note=note)

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
