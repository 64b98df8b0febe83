"""Matrix products in the caller's own thread: work is parallel in blocks, and their last bits stay the same."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Iterator

from threadpoolctl import ThreadpoolController

__all__ = ["one_blas_thread"]


@functools.cache
def _threadpools() -> ThreadpoolController:
    import scipy.linalg  # noqa: F401  its BLAS, which numba calls too, is another library than numpy's

    return ThreadpoolController()  # finding the loaded libraries takes milliseconds, so once


class _Depth:
    """How many callers are inside; the first sets the limit, the last lifts it."""

    lock = threading.Lock()
    count = 0
    limiter = None


@contextlib.contextmanager
def one_blas_thread() -> Iterator[None]:
    """A context in which BLAS uses one thread, shared by all threads of the process that are in it.

    BLAS rounds a product differently when it splits it over threads, so without this last bits would depend on how
    many threads the machine, the workflow or SpikeInterface's workers allow; and threads that wait for a small product
    take cores from those that work.
    """
    with _Depth.lock:
        if _Depth.count == 0:
            _Depth.limiter = _threadpools().limit(limits=1, user_api="blas")
        _Depth.count += 1
    try:
        yield
    finally:
        with _Depth.lock:
            _Depth.count -= 1
            if _Depth.count == 0:
                _Depth.limiter.restore_original_limits()
                _Depth.limiter = None
