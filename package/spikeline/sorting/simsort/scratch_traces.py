"""Traces too many for memory, in a file that nobody has to clear away."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from spikeline.errors import DataError

__all__ = ["scratch_traces"]

_SPARED = 0.02  # of the free space: a full disk would end other jobs too


def scratch_traces(folder: Path, n_samples: int, n_channels: int) -> Float32[np.memmap, "samples channels"]:
    """An array in a file, channel after channel.

    A group of channels is read as a whole, then all channels for moments: both touch few pages of the file this way.
    The file's name is gone as soon as the array is there, so its space is free again when the array is dropped, or the
    process killed.

    Parameters
    ----------
    folder
        A folder of the file system that is to hold it.
    n_samples, n_channels
        Shape of the array.

    Raises
    ------
    DataError
        If the file system has less room than that.
    """
    wanted, free = 4 * n_samples * n_channels, shutil.disk_usage(folder).free
    if wanted > (1 - _SPARED) * free:
        raise DataError(
            f"{free / 1e9:.1f} GB free where {folder} lies",
            f"{wanted / 1e9:.1f} GB for the whitened traces of {n_channels} channels",
            "free some space, or sort into a folder of a larger file system",
        )
    path = folder / "whitened.raw"
    traces = np.memmap(path, np.float32, "w+", shape=(n_samples, n_channels), order="F")
    path.unlink()
    return traces
