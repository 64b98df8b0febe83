"""A bank entry in memory."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from spikeline.errors import DataError
from tests.synthetic_bank import synthetic_entry


def test_windows_are_the_components_there() -> None:
    entry = synthetic_entry()
    starts = np.array([0, 7, 7, entry.n_samples - 50])
    windows = entry.windows(starts, 50)
    assert windows.shape == (4, entry.rank, 50) and windows.flags.c_contiguous
    for start, window in zip(starts, windows, strict=True):
        np.testing.assert_array_equal(window, entry.components(int(start), int(start) + 50))
    assert entry.windows(np.array([], np.int64), 50).shape == (0, entry.rank, 50)


def test_windows_of_an_entry_on_the_disk_are_the_same() -> None:
    class OnDisk:
        """Gives slices and nothing else, as a lazy entry's coefficients do."""

        def __init__(self, held: np.ndarray) -> None:
            self.held, self.shape, self.dtype = held, held.shape, held.dtype

        def __getitem__(self, key: tuple[slice, slice]) -> np.ndarray:
            return self.held[key]

    entry = synthetic_entry()
    lazy = replace(entry, coefficients=OnDisk(entry.coefficients))
    starts = np.array([3, 400])
    np.testing.assert_array_equal(lazy.windows(starts, 60), entry.windows(starts, 60))


@pytest.mark.parametrize("start", [-1, 10**9])
def test_a_window_outside_is_refused(start: int) -> None:
    with pytest.raises(DataError, match="windows of 50 samples"):
        synthetic_entry().windows(np.array([3, start]), 50)
