"""Random streams from (root seed, stage, shard): independent of job order, worker count and file layout."""

from __future__ import annotations

import hashlib

import numpy as np

__all__ = ["seed_sequence", "seed_stream", "seed_integer"]


def _words(text: str) -> list[int]:
    digest = hashlib.sha256(text.encode()).digest()
    return [int.from_bytes(digest[i : i + 4], "little") for i in range(0, 16, 4)]


def seed_sequence(root_seed: int, stage: str, shard: str = "") -> np.random.SeedSequence:
    """The seed sequence of one purpose.

    Parameters
    ----------
    root_seed
        The run's ``seed``.
    stage
        What the numbers are for, e.g. ``"stimulus"``; one stream per purpose.
    shard
        Which shard of the stage, e.g. ``"L5_NBC_bAC217_1/v000-0"``.
    """
    return np.random.SeedSequence([int(root_seed), *_words(stage), *_words(shard)])


def seed_stream(root_seed: int, stage: str, shard: str = "") -> np.random.Generator:
    """A numpy generator on `seed_sequence`."""
    return np.random.Generator(np.random.PCG64(seed_sequence(root_seed, stage, shard)))


def seed_integer(root_seed: int, stage: str, shard: str = "") -> int:
    """One 31-bit integer from `seed_sequence`, for libraries that take a single seed."""
    return int(seed_sequence(root_seed, stage, shard).generate_state(1)[0] & 0x7FFFFFFF)
