"""Spike peaks in a voltage trace."""

from __future__ import annotations

import numpy as np

from spikeline.simulation.bank.spike_times import spike_peaks


def trace(*peaks: int, length: int = 200) -> np.ndarray:
    time = np.arange(length)
    return -70 + sum(100 * np.exp(-0.5 * ((time - peak) / 2) ** 2) for peak in peaks)


def test_peaks_not_crossings_are_returned() -> None:
    np.testing.assert_array_equal(spike_peaks(trace(50, 120), -20.0, 10), [50, 120])


def test_only_upward_crossings_count() -> None:
    falling = np.linspace(0, -70, 50)
    assert spike_peaks(falling, -20.0, 10).size == 0


def test_the_window_bounds_the_refinement() -> None:
    ramp = np.linspace(-70, 30, 101)  # crosses -20 mV at sample 50 and rises to the end
    np.testing.assert_array_equal(spike_peaks(ramp, -20.0, 10), [60])


def test_two_crossings_of_one_peak_count_once() -> None:
    voltage = np.full(50, -70.0)
    voltage[[20, 22, 23]] = [-10, -15, 5]
    np.testing.assert_array_equal(spike_peaks(voltage, -20.0, 10), [23])


def test_a_spike_cut_by_the_end_keeps_what_there_is() -> None:
    np.testing.assert_array_equal(spike_peaks(trace(198), -20.0, 10), [198])


def test_silence_gives_an_empty_array_of_integers() -> None:
    found = spike_peaks(np.full(100, -70.0), -20.0, 10)
    assert found.dtype == np.int64
    assert found.size == 0
