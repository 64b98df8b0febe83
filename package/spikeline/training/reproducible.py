"""The state of torch in which the same training gives the same bytes, for as long as it lasts."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch

__all__ = ["reproducible"]


@contextlib.contextmanager
def reproducible(threads: int | None, on_cpu: bool) -> Iterator[None]:
    """Deterministic kernels on a CPU and a fixed number of threads inside; what was set before, outside.

    Parameters
    ----------
    threads
        Threads of one torch operation: sums are split among them, so their number changes the last bits. None: as set.
    on_cpu
        Deterministic kernels are asked for on a CPU only: on a GPU some operations have none, and the others are slow.
    """
    threads_before = torch.get_num_threads()
    before, warn_before = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )
    if threads is not None:
        torch.set_num_threads(threads)
    if on_cpu:
        torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=warn_before)
        torch.set_num_threads(threads_before)
