"""Entries of a data-set table for files that a test wrote."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from spikeline.artifacts import file_checksum
from spikeline.data import DatasetEntry

ROOT = Path(__file__).parents[2]

needs_real_files = pytest.mark.skipif(
    "SPIKELINE_DATA_ROOT" not in os.environ,
    reason="set SPIKELINE_DATA_ROOT to a folder with the files of config/datasets.yaml",
)


def entry_of(path: Path, reader: str, **keys: object) -> DatasetEntry:
    """An entry with data_root the folder that ``path`` lies in."""
    values = {
        "title": "a test's own", "path": path.name, "reader": reader, "source": "a test", "version": "1",
        "sha256": file_checksum(path), "licence": "MIT",
    }  # fmt: skip
    return DatasetEntry.parse(values | keys)
