"""SIGTERM while a training runs: finish the step, keep its checkpoint, then stop as the process would have stopped."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

__all__ = ["StopRequest"]


class StopRequest:
    """Remembers that SIGTERM came, from `listen` until `release`.

    Schedulers send SIGTERM half a minute or so before they kill: enough for a step and a checkpoint.
    """

    def __init__(self) -> None:
        self.came = False
        self._before: Any = signal.SIG_DFL
        self._in_main_thread = threading.current_thread() is threading.main_thread()  # elsewhere Python allows none

    def remember(self) -> None:
        """Note who has SIGTERM now, before Lightning puts a handler of its own in between."""
        self._before = signal.getsignal(signal.SIGTERM) or signal.SIG_DFL

    def listen(self) -> None:
        """Take SIGTERM over."""
        if self._in_main_thread:
            signal.signal(signal.SIGTERM, self._note)

    def _note(self, number: int, frame: Any) -> None:
        self.came = True

    def release(self) -> None:
        """Give SIGTERM back to whoever had it."""
        if self._in_main_thread:
            signal.signal(signal.SIGTERM, self._before)

    def pass_on(self) -> None:
        """Send the signal that came once more, now that the handler before, or the default, answers it."""
        self.release()
        os.kill(os.getpid(), signal.SIGTERM)
