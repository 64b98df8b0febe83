"""Signals while a training runs: finish the step, keep its checkpoint, then let them do what they would have done."""

from __future__ import annotations

import signal
import threading
from typing import Any

__all__ = ["StopRequest"]

# What a launcher (submitit: USR2) may have bound to "put me back into the queue"; without a handler, left alone.
_OF_LAUNCHERS = (signal.SIGUSR1, signal.SIGUSR2)


class StopRequest:
    """Remembers which signals came, from `listen` until `release`.

    SIGTERM is always waited for: schedulers send it half a minute or so before they kill, enough for a step and a
    checkpoint. SIGUSR1 and SIGUSR2 are if somebody answers them.
    """

    def __init__(self) -> None:
        self.came: list[int] = []
        self._before: dict[int, Any] = {signal.SIGTERM: signal.SIG_DFL}
        self._in_main_thread = threading.current_thread() is threading.main_thread()  # elsewhere Python allows none

    def remember(self) -> None:
        """Note who has the signals now, before Lightning puts a handler of its own in between."""
        self._before = {signal.SIGTERM: signal.getsignal(signal.SIGTERM) or signal.SIG_DFL}
        self._before |= {number: signal.getsignal(number) for number in _OF_LAUNCHERS if _is_answered(number)}

    def listen(self) -> None:
        """Take the signals over."""
        if self._in_main_thread:
            for number in self._before:
                signal.signal(number, self._note)

    def _note(self, number: int, frame: Any) -> None:
        self.came.append(number)

    def release(self) -> None:
        """Give the signals back to whoever had them."""
        if self._in_main_thread:
            for number, handler in self._before.items():
                signal.signal(number, handler)

    def names(self) -> str:
        """Names of the signals that came."""
        return " and ".join(dict.fromkeys(signal.Signals(number).name for number in self.came))

    def pass_on(self) -> None:
        """Send the signals that came once more, now that the handlers before, or the defaults, answer them.

        If the process lives on, because a handler does nothing (submitit lets SIGTERM pass and waits for its own
        signal), it listens again.
        """
        numbers, self.came = dict.fromkeys(self.came), []
        self.release()
        for number in numbers:
            signal.raise_signal(number)
        self.listen()


def _is_answered(number: int) -> bool:
    return callable(signal.getsignal(number))
