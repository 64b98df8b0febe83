import numpy as np
import pytest

from spikeline.errors import DataError
from spikeline.sorting.simsort.evaluation.truth import true_spikes
from spikeline.sorting.snr import unit_peaks
from spikeline.sorting.sorting_file import make_sorting, spikes_of
from tests.sorting.simsort.evaluation.conftest import BAND
from tests.sorting.trains import RATE_HZ, recording_of, synthetic_tetrode


def test_spikes_lie_at_their_peaks_on_their_channels(easy):
    recording, sorting, truth = easy
    peaks = unit_peaks(recording, sorting, BAND)
    assert truth.unit_ids == list(peaks)
    assert truth.channels.tolist() == [0, 1, 2]  # where the fixture makes each unit largest
    np.testing.assert_allclose(truth.snr, [peak.snr for peak in peaks.values()])
    assert truth.counts().tolist() == list(sorting.count_num_spikes_per_unit().values())
    traces = recording.get_traces()
    for unit, channel in enumerate(truth.channels):
        own = truth.spike_samples[truth.unit_index == unit]
        around = np.mean([traces[own + step, channel] for step in range(-4, 5)], axis=1)
        assert around.argmin() in (3, 4, 5)


def test_soma_times_stay_where_they_are():
    recording, sorting = synthetic_tetrode(5.0)
    moved = make_sorting(spikes_of(sorting)[0] + 4, spikes_of(sorting)[1], ["0", "1", "2"], RATE_HZ)
    kept = true_spikes(recording, moved, BAND, "soma_peak")
    np.testing.assert_array_equal(kept.spike_samples, spikes_of(moved)[0])
    peaks = true_spikes(recording, moved, BAND).spike_samples
    assert np.median(np.sort(peaks) - np.sort(kept.spike_samples)) == -4


def test_a_recording_without_spikes_is_refused():
    nothing = make_sorting(np.empty(0, int), np.empty(0, int), ["a"], RATE_HZ)
    with pytest.raises(DataError, match="no spikes"):
        true_spikes(recording_of(np.zeros((1000, 4), np.float32)), nothing, BAND)
