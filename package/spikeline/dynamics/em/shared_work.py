"""A kernel's jobs, shared out between threads."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait

__all__ = ["SharedWork", "default_threads"]


class SharedWork:
    """Threads that wait for work, and the calling one.

    Parameters
    ----------
    n_threads
        The calling one included. None: `default_threads`.
    """

    def __init__(self, n_threads: int | None = None) -> None:
        self._n_threads = default_threads() if n_threads is None else n_threads
        self._pool = ThreadPoolExecutor(self._n_threads - 1) if self._n_threads > 1 else None

    def run(self, kernel: Callable, jobs: Iterable[tuple]) -> list:
        """Results of a kernel that releases the lock, in the order of the jobs, whoever was ready first.

        The calling thread works too: few small jobs are not worth waking another for.
        """
        jobs = list(jobs)
        results: list = [None] * len(jobs)
        left = deque(range(len(jobs)))

        def work() -> None:
            try:
                while left:
                    try:
                        at = left.popleft()
                    except IndexError:  # another thread has the last
                        return
                    results[at] = kernel(*jobs[at])
            except BaseException:
                left.clear()  # nobody begins another
                raise

        helpers = min(self._n_threads, len(jobs)) - 1
        helping = [] if self._pool is None else [self._pool.submit(work) for _ in range(helpers)]
        try:
            work()
        finally:
            wait([helper for helper in helping if not helper.cancel()])
        for helper in helping:
            if not helper.cancelled():
                helper.result()
        return results


def default_threads() -> int:
    """As many as there are cores for this process, and no more than NUMBA_NUM_THREADS or OMP_NUM_THREADS say."""
    import numba

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    said = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, min(cores, numba.config.NUMBA_NUM_THREADS, int(said) if said.isdigit() else cores))
