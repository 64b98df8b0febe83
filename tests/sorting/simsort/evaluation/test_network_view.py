import numpy as np
import pytest

from spikeline.artifacts import seed_stream
from spikeline.sorting.simsort.evaluation.network_view import network_view, probabilities_of_groups
from tests.sorting.trains import recording_of


def _spikes_at(rate_hz: float, seconds: float = 4.0) -> tuple[np.ndarray, np.ndarray]:
    """Traces in unit noise with large troughs 0.4 ms wide on channels 0, 1, 2, 3 in turn; and where these are."""
    n = int(seconds * rate_hz)
    traces = 5 * seed_stream(2, "test-view").normal(size=(n, 4)).astype(np.float32)
    at = np.arange(int(0.1 * rate_hz), n - int(0.1 * rate_hz), int(0.043 * rate_hz))
    time = np.arange(-int(0.002 * rate_hz), int(0.002 * rate_hz))
    shape = -200 * np.exp(-0.5 * (time / (0.0002 * rate_hz)) ** 2)
    for place, sample in enumerate(at):
        traces[sample + time, place % 4] += shape
    return traces, at


@pytest.mark.parametrize("rate_hz", [10_000.0, 24_000.0, 30_000.0])
def test_detections_are_at_times_of_the_recording(networks, rate_hz):
    traces, at = _spikes_at(rate_hz)
    view = network_view(recording_of(traces, rate_hz), networks)
    found = view.detections(probabilities_of_groups(view, networks), 0.5)
    near = found.samples[np.abs(found.samples[:, None] - at).min(axis=1) <= 0.0003 * rate_hz]
    assert len(near) == len(at)
    nearest = np.abs(found.samples[:, None] - at).argmin(axis=0)
    np.testing.assert_array_equal(found.channels[nearest], np.arange(len(at)) % 4)
    assert (np.diff(found.samples) >= 0).all()


def test_a_higher_threshold_finds_fewer(networks, easy):
    view = network_view(easy[0], networks)
    probabilities = probabilities_of_groups(view, networks)
    counts = [len(view.detections(probabilities, threshold).samples) for threshold in (0.05, 0.5, 0.999)]
    assert counts[0] > counts[1] > counts[2]
    assert len(view.detections(probabilities, 1.0).samples) == 0


def test_times_go_to_the_traces_and_back(networks):
    traces, at = _spikes_at(30_000.0)
    view = network_view(recording_of(traces, 30_000.0), networks)
    here = view.from_source(at.astype(np.int64))
    assert np.abs(view.to_source(here) - at).max() <= 2
    peaks = view.traces[here[:, None] + np.arange(-3, 4)].min(axis=2).argmin(axis=1)
    assert np.median(np.abs(peaks - 3)) <= 1
    assert view.from_source(np.array([10**9])).tolist() == [len(view.traces) - 1]


def test_a_file_holds_the_traces_if_a_folder_is_given(networks, easy, tmp_path, monkeypatch):
    monkeypatch.setattr("spikeline.sorting.simsort.whitened._MOST_IN_MEMORY", 1000)
    in_memory, in_file = network_view(easy[0], networks), network_view(easy[0], networks, folder=tmp_path)
    assert isinstance(in_file.traces, np.memmap)
    np.testing.assert_array_equal(in_memory.traces, in_file.traces)
