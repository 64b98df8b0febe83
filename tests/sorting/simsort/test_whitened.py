"""A whole recording whitened: threads, blocks, offsets and the place where it is kept change nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from spikeline.sorting.simsort import whitened
from spikeline.sorting.simsort.whitened import Resampling, whitened_traces
from tests.sorting.simsort.planted import noise
from tests.sorting.trains import recording_of

BAND = (300.0, 3000.0)
TRACES = 8 * noise(45_000)


def made(traces: np.ndarray = TRACES, rate: float = 30_000.0, **options: object) -> np.ndarray:
    return whitened_traces(recording_of(traces, rate), Resampling(rate, 10_000.0, BAND[1]), BAND, **options)


@pytest.fixture(scope="module")
def reference() -> np.ndarray:
    return made()


def test_every_sample_is_there_and_of_the_density_of_noise(reference: np.ndarray) -> None:
    assert reference.shape == (15_000, 4) and reference.dtype == np.float32
    assert np.isfinite(reference).all()
    np.testing.assert_allclose(reference.var(axis=0), 2700 / 5000, rtol=0.1)


def test_threads_and_blocks_change_nothing(reference: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whitened, "_BLOCK_S", 0.13)
    one, three = made(threads=1), made(threads=3)
    np.testing.assert_array_equal(one, three)
    np.testing.assert_allclose(one, reference, atol=1e-4)


def test_offsets_change_nothing(reference: np.ndarray) -> None:
    offset = np.array([1e5, -3e4, 0, 50], np.float32)
    np.testing.assert_allclose(made(TRACES + offset), reference, atol=0.02)


def test_a_constant_channel_is_silent_whatever_its_offset(reference: np.ndarray) -> None:
    traces = TRACES.copy()
    traces[:, 2] = -1234.5
    out = made(traces)
    assert np.abs(out[:, 2]).max() == 0
    assert (out[:, [0, 1, 3]].std(axis=0) > 0.5).all()


def test_a_long_recording_lies_in_a_file(
    reference: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not isinstance(made(folder=tmp_path), np.memmap)
    monkeypatch.setattr(whitened, "_MOST_IN_MEMORY", 1000)
    assert not isinstance(made(), np.memmap)
    kept = made(folder=tmp_path)
    assert isinstance(kept, np.memmap) and Path(kept.filename).parent == tmp_path
    np.testing.assert_array_equal(kept, reference)
    assert not list(tmp_path.iterdir())  # the file is gone with the array


def test_an_offset_that_comes_later_makes_no_event_at_the_end(reference: np.ndarray) -> None:
    moved = TRACES.copy()
    moved[30_000:] += 2000
    np.testing.assert_allclose(made(moved)[-600:], reference[-600:], atol=0.3)


def test_progress_adds_up_to_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whitened, "_BLOCK_S", 0.4)
    shares: list[float] = []
    made(advance=shares.append)
    assert len(shares) == 4 and sum(shares) == pytest.approx(1)
