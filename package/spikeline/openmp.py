"""scikit-learn's loops in the caller's own thread: sums of several threads come in any order, and so do last bits."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator

from threadpoolctl import ThreadpoolController

__all__ = ["one_openmp_thread"]


@functools.cache
def _threadpools() -> ThreadpoolController:
    import sklearn.cluster  # noqa: F401  it loads the runtime that is limited here

    return ThreadpoolController().select(user_api="openmp")


@contextlib.contextmanager
def one_openmp_thread() -> Iterator[None]:
    """A context in which OpenMP loops that this thread starts have one thread.

    scikit-learn's K-means adds up what its threads summed, in the order in which they are done, so that centres of the
    same points differ in their last bits by the number of threads, and of more than two run by run.
    """
    with _threadpools().limit(limits=1):
        yield
