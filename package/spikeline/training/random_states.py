"""States of the global random generators, which layers like dropout draw from."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from spikeline.artifacts import seed_integer

__all__ = ["random_states", "seeded", "set_random_states"]


def random_states() -> dict[str, Any]:
    """States of the generators of Python, numpy and torch (every GPU in use), as plain values and tensors."""
    numpy_state = np.random.get_state(legacy=False)  # noqa: NPY002 - the global generator is the point
    return {
        "python": random.getstate(),
        "numpy": {**numpy_state, "state": dict(numpy_state["state"])},
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else [],
    }


def set_random_states(states: dict[str, Any]) -> None:
    """Inverse of `random_states`; states of more GPUs than there are now are left out."""
    random.setstate(states["python"])
    np.random.set_state(states["numpy"])  # noqa: NPY002 - the global generator is the point
    torch.set_rng_state(states["torch"])
    for device, state in enumerate(states["cuda"][: torch.cuda.device_count()]):
        torch.cuda.set_rng_state(state, device)


@contextlib.contextmanager
def seeded(root_seed: int, stage: str, shard: str = "") -> Iterator[None]:
    """Global generators seeded from a named stream inside, and as they were outside.

    A model is made in one of these, so that its first weights are the same every time.
    """
    outside = random_states()
    seed = seed_integer(root_seed, stage, shard)
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - the global generator is the point
    torch.manual_seed(seed)
    try:
        yield
    finally:
        set_random_states(outside)
