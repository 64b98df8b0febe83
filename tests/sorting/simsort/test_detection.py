"""Probabilities do not depend on where traces are cut into pieces; peaks are those of a loop over samples."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from spikeline.sorting.simsort import detection
from spikeline.sorting.simsort.detection import find_peaks, spike_probabilities
from spikeline.sorting.simsort.detector import Detector
from tests.sorting.simsort.planted import noise


@pytest.fixture(scope="module")
def detector() -> Detector:
    torch.manual_seed(0)
    return Detector(width=8).eval()


def test_pieces_leave_no_trace(detector: Detector, monkeypatch: pytest.MonkeyPatch) -> None:
    traces = 3 * noise(1500)
    with torch.inference_mode():
        whole = torch.sigmoid(detector(torch.from_numpy(traces.T.copy())[None]))[0].numpy()
    assert whole.std() > 0.01
    for piece in (20_000, 1500, 700, 101, 23):
        monkeypatch.setattr(detection, "_PIECE", piece)
        np.testing.assert_allclose(spike_probabilities(detector, traces), whole, atol=1e-6)


def test_missing_channels_are_zero(detector: Detector) -> None:
    traces = 3 * noise(400)
    traces[:, 2:] = 0
    np.testing.assert_array_equal(
        spike_probabilities(detector, traces[:, :2].copy()), spike_probabilities(detector, traces)
    )


@pytest.mark.parametrize("apart", [1, 3, 6])
@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.6])
def test_peaks_are_those_of_a_loop(apart: int, threshold: float) -> None:
    probabilities = np.random.default_rng(apart).uniform(size=2000).astype(np.float32)
    padded = np.concatenate([[0], probabilities.astype(np.float64), [0]])
    smooth = [padded[at : at + 3].mean() for at in range(2000)]
    expected = [
        at
        for at in range(2000)
        if smooth[at] > threshold and smooth[at] == max(smooth[max(0, at - apart) : at + apart + 1])
    ]
    assert len(expected) > 10
    np.testing.assert_array_equal(find_peaks(probabilities, threshold, apart), expected)


def test_a_labels_middle_is_the_peak_and_of_a_plateau_there_is_one() -> None:
    probabilities = np.zeros(100, np.float32)
    probabilities[[19, 20, 21]] = 0.9
    probabilities[[50, 51, 52, 53]] = 0.8
    probabilities[[0, 1]] = 0.7
    peaks = find_peaks(probabilities, 0.3)
    assert peaks[1] == 20 and peaks[0] <= 1 and peaks[2] in (51, 52) and len(peaks) == 3
    assert len(find_peaks(probabilities, 0.95)) == 0
    flat = find_peaks(np.full(50, 0.5, np.float32), 0.3)
    assert len(flat) == 1
    assert find_peaks(np.zeros(10, np.float32), 0.3).dtype == np.int64
