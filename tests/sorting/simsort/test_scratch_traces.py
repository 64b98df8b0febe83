"""Traces in a file that is gone with them."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from spikeline.errors import DataError
from spikeline.sorting.simsort.scratch_traces import scratch_traces


def test_it_is_an_array_that_leaves_no_file(tmp_path: Path) -> None:
    traces = scratch_traces(tmp_path, 1000, 6)
    assert traces.shape == (1000, 6) and traces.dtype == np.float32
    assert traces[:, 2].flags.c_contiguous  # a channel as a whole
    traces[:] = np.arange(6000).reshape(1000, 6)
    np.testing.assert_array_equal(traces[5], np.arange(30, 36))
    assert not list(tmp_path.iterdir())


def test_too_little_room_is_said_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=24_100))
    with pytest.raises(DataError, match=r"whitened traces of 6 channels"):
        scratch_traces(tmp_path, 1000, 6)
    assert not list(tmp_path.iterdir())
