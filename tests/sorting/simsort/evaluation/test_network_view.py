import numpy as np

from spikeline.sorting.simsort.evaluation.network_view import network_view
from tests.sorting.simsort.evaluation.troughs import troughs_in_turn
from tests.sorting.trains import recording_of


def test_times_go_to_the_traces_and_back(networks):
    traces, at = troughs_in_turn(30_000.0)
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
