"""Recursive filters against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal

from spikeline.errors import DataError
from spikeline.simulation.recordings.filters import band_pass, filter_in_place


@pytest.mark.parametrize("channels", [1, 4, 7, 8, 32])
@pytest.mark.parametrize("backward", [False, True])
def test_filter_equals_scipy(channels: int, backward: bool, rng: np.random.Generator) -> None:
    sections = scipy.signal.butter(3, (300.0, 3000.0), "bandpass", fs=10_000.0, output="sos")
    samples = rng.normal(size=(2000, channels)).astype(np.float32)
    step = -1 if backward else 1
    expected = scipy.signal.sosfilt(sections, samples[::step].astype(float), axis=0)[::step]
    filter_in_place(samples, sections.astype(np.float32), backward)
    np.testing.assert_allclose(samples, expected, atol=1e-4)


@pytest.mark.parametrize("band", [(300.0, 6000.0), (20.0, 3000.0)])
def test_band_pass_equals_scipy_over_block_borders(band: tuple[float, float], rng: np.random.Generator) -> None:
    traces = rng.normal(size=(150_000, 4)).astype(np.float32)
    sections = scipy.signal.butter(3, band, "bandpass", fs=30_000.0, output="sos")
    padded = np.concatenate([traces.astype(float), np.zeros((60_000, 4))])
    expected = scipy.signal.sosfilt(sections, padded, axis=0)
    expected = scipy.signal.sosfilt(sections, expected[::-1], axis=0)[::-1][: len(traces)]
    np.testing.assert_allclose(band_pass(traces, 30_000.0, band), expected, atol=1e-4)


def test_threads_do_not_matter(rng: np.random.Generator) -> None:
    traces = rng.normal(size=(140_000, 3)).astype(np.float32)
    np.testing.assert_array_equal(band_pass(traces, 30_000.0, threads=1), band_pass(traces, 30_000.0, threads=2))


@pytest.mark.parametrize("band", [(0.0, 3000.0), (3000.0, 300.0), (300.0, 5000.0)])
def test_impossible_bands_are_refused(band: tuple[float, float]) -> None:
    with pytest.raises(DataError, match="band"):
        band_pass(np.zeros((100, 1), np.float32), 10_000.0, band)
