"""Make batches ahead of the model, in threads, and measure how long the model waits for them.

Threads and not processes: numpy, torch and compiled kernels release Python's lock while they work, a thread hands its
arrays over without copying them, and nothing is forked off a process that holds the threads of numerical libraries.
"""

from __future__ import annotations

import collections
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from spikeline.training.batches import Batches, as_tensors

__all__ = ["Prefetcher"]

_AHEAD = 2  # batches waiting per thread: one ready while the next is made; more would only take memory


class Prefetcher:
    """Iterate over the batches of steps ``first`` to ``last`` (not included), in order; each is made ahead of time.

    Parameters
    ----------
    batches
        Where they come from.
    first, last
        Range of steps.
    threads
        How many batches are made at the same time.
    finish
        Applied to each batch in its thread, e.g. to pin its memory for a GPU.

    Attributes
    ----------
    waited_s
        Time that the reader has spent waiting so far.
    """

    def __init__(
        self, batches: Batches, first: int, last: int, threads: int = 1, finish: Callable[[Any], Any] | None = None
    ) -> None:
        self._batches, self._first, self._last, self._threads = batches, first, last, threads
        self.finish = finish
        self._pool: ThreadPoolExecutor | None = None
        self.waited_s = 0.0

    def _make(self, step: int) -> Any:
        batch = as_tensors(self._batches.batch(step), step)
        return batch if self.finish is None else self.finish(batch)

    def __iter__(self) -> Iterator[Any]:
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="batches")
        waiting: collections.deque[Future[Any]] = collections.deque()
        try:
            for step in range(self._first, self._last):
                upcoming = min(self._last, step + 1 + _AHEAD * self._threads)
                while step + len(waiting) < upcoming:
                    waiting.append(self._pool.submit(self._make, step + len(waiting)))
                start = time.perf_counter()
                batch = waiting.popleft().result()
                self.waited_s += time.perf_counter() - start
                yield batch
        finally:
            self.close()

    def close(self) -> None:
        """Stop making batches; the one that is being made is finished first."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None
