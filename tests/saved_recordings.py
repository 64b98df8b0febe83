"""Recordings on the disk, as SpikeInterface saves and leaves them."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import spikeinterface as si

__all__ = ["closed_files", "saved"]


def saved(recording: si.BaseRecording, folder: Path) -> si.BaseRecording:
    """The recording as a binary folder."""
    with warnings.catch_warnings():
        # SpikeInterface notes that a recording in memory leaves no provenance
        warnings.filterwarnings("ignore", message="The extractor is not serializable to file")
        return recording.save(folder=folder, format="binary", n_jobs=1, progress_bar=False)


@pytest.fixture
def closed_files() -> Iterator[None]:
    """SpikeInterface leaves the files of saved recordings to the collector, which warns of each."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        yield
        gc.collect()
