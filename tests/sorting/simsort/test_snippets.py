"""Snippets against a loop, over the ends too."""

from __future__ import annotations

import numpy as np

from spikeline.sorting.simsort.snippets import SNIPPET_AFTER, SNIPPET_BEFORE, SNIPPET_SAMPLES, cut_snippets
from tests.sorting.simsort.planted import noise


def test_snippets_are_windows_around_peaks_and_zero_beyond_the_ends() -> None:
    traces, peaks = noise(200, 3), np.array([0, 5, 100, 100, 197, 199])
    for before, after in ((12, 20), (3, 4), (0, 1)):
        cut = cut_snippets(traces, peaks, before, after)
        assert cut.shape == (6, 3, before + after) and cut.flags.c_contiguous
        for spike, peak in enumerate(peaks):
            for step in range(before + after):
                at = peak - before + step
                expected = traces[at] if 0 <= at < 200 else np.zeros(3)
                np.testing.assert_array_equal(cut[spike, :, step], expected)


def test_chosen_channels_come_in_the_order_they_were_asked_for() -> None:
    traces, peaks = noise(100, 5), np.array([3, 50, 98])
    chosen = np.array([4, 0, 2])
    np.testing.assert_array_equal(
        cut_snippets(traces, peaks, 6, 7, chosen), cut_snippets(traces, peaks, 6, 7)[:, chosen]
    )


def test_the_peak_has_its_place() -> None:
    traces = np.zeros((100, 1), np.float32)
    traces[40] = 1
    cut = cut_snippets(traces, np.array([40]))
    assert cut.shape[2] == SNIPPET_SAMPLES == SNIPPET_BEFORE + SNIPPET_AFTER
    assert cut[0, 0].argmax() == SNIPPET_BEFORE


def test_no_peaks_give_no_snippets() -> None:
    assert cut_snippets(noise(50), np.empty(0, np.int64)).shape == (0, 4, SNIPPET_SAMPLES)
