"""Noise is measured where there is some: what amplifiers left blank does not count."""

from __future__ import annotations

import re

import numpy as np
import pytest

from spikeline.errors import DataError
from spikeline.sorting.simsort.noise_stretches import blank_samples
from spikeline.sorting.simsort.whitened import Resampling, whitened_traces
from tests.sorting.simsort.planted import noise
from tests.sorting.trains import recording_of

BAND = (300.0, 3000.0)
SECONDS = 12
CLEAN = 8 * noise(30_000 * SECONDS)
IN_BAND = np.sqrt(2700 / 5000)


def whitened(traces: np.ndarray, rate: float = 30_000.0) -> np.ndarray:
    return whitened_traces(recording_of(traces, rate), Resampling(rate, 10_000.0, BAND[1]), BAND)


@pytest.mark.parametrize("value", [0, -2048, 7.5])
def test_runs_of_one_value_are_blank_to_their_ends(value: float) -> None:
    traces = np.random.default_rng(0).normal(size=(500, 3))
    traces[:40, 0] = traces[100:139, 1] = traces[460:, 2] = value
    blank = blank_samples(traces, 40)
    expected = np.zeros(traces.shape, bool)
    expected[:40, 0] = expected[460:, 2] = True  # of channel 1 one sample too few
    np.testing.assert_array_equal(blank, expected)


def test_whole_numbers_of_a_coarse_converter_are_noise_nevertheless() -> None:
    steps = np.rint(0.5 * np.random.default_rng(0).normal(size=(300_000, 4))).astype(np.int16)
    assert (np.diff(steps[:, 0]) == 0).mean() > 0.4
    assert not blank_samples(steps, 60).any()


@pytest.mark.parametrize("channels", [[0, 1, 2, 3], [1]], ids=["all channels", "one channel"])
@pytest.mark.parametrize("share", [0.2, 0.4, 0.6, 0.8])
@pytest.mark.parametrize("level", [0.0, 3000.0], ids=["zeros", "saturated"])
def test_the_unit_of_noise_is_that_of_what_is_recorded(share: float, channels: list[int], level: float) -> None:
    traces = CLEAN.copy()
    first = round((1 - share) * len(traces))
    traces[first:, channels] = level
    heard = whitened(traces)[: first // 3 - 300]
    np.testing.assert_allclose(heard.std(axis=0), IN_BAND, rtol=0.05)


def test_a_blank_after_every_stimulus_is_left_out() -> None:
    """40 pulses a second, 10 ms each: none of the spectrum's windows is free of them for long."""
    traces = CLEAN.copy()
    traces[(np.arange(len(traces)) % 750) < 300] = 0
    heard = whitened(traces)[(np.arange(len(traces) // 3) % 250) > 130]
    np.testing.assert_allclose(heard.std(axis=0), IN_BAND, rtol=0.1)


def test_a_channel_without_any_signal_does_not_count_as_blank() -> None:
    traces = CLEAN.copy()
    traces[:, 2] = 5
    out = whitened(traces)
    np.testing.assert_allclose(out[:, [0, 1, 3]].std(axis=0), IN_BAND, rtol=0.05)


def test_too_little_is_refused_with_what_is_blank_where() -> None:
    traces = CLEAN.copy()
    half = len(traces) // 2
    traces[: half + 9000, 0] = 0
    traces[half - 9000 :, 3] = 0
    with pytest.raises(DataError) as told:
        whitened(traces)
    assert re.search(r"that 0 of 12 s looked at are left \(0: 53%, 3: 53%\)", str(told.value)), str(told.value)
