import numpy as np
import pytest

from spikeline.errors import DataError
from spikeline.simulation.illustration.filtered import noise_level
from spikeline.sorting.scoring import aligned_truth
from spikeline.sorting.snr import mean_waveforms, signal_to_noise, unit_peaks
from spikeline.sorting.sorting_file import make_sorting
from tests.sorting.trains import RATE_HZ, recording_of, synthetic_tetrode

BAND = (300.0, 3000.0)


def test_equals_spikeinterface():
    import spikeinterface as si
    from spikeinterface.preprocessing import bandpass_filter

    recording, truth = synthetic_tetrode(20.0)
    filtered = bandpass_filter(recording, freq_min=300.0, freq_max=3000.0, dtype="float32")
    analyzer = si.create_sorting_analyzer(truth, filtered, sparse=False)
    extensions = {"random_spikes": {"method": "all"}, "noise_levels": {}, "templates": {"operators": ["average"]}}
    analyzer.compute(extensions, n_jobs=1, progress_bar=False)
    analyzer.compute({"quality_metrics": {"metric_names": ["snr"]}})
    oracle = analyzer.get_extension("quality_metrics").get_data()["snr"]
    ours = signal_to_noise(recording, truth, BAND)
    assert list(ours) == list(oracle.index.astype(str))
    np.testing.assert_allclose(list(ours.values()), oracle.to_numpy(float), rtol=0.02)


def test_mean_waveform_against_brute_force_across_stretches_and_ends():
    stream = np.random.default_rng(0)
    traces = stream.normal(size=(250_000, 4)).astype(np.float32)
    samples = np.sort(np.concatenate([[0, 5, 99_995, 100_000, 100_003, 249_999], stream.integers(0, 250_000, 200)]))
    index = stream.integers(0, 2, len(samples))
    waves = mean_waveforms(recording_of(traces), make_sorting(samples, index, ["a", "b", "none"], RATE_HZ))
    inside = (samples >= 10) & (samples + 20 <= 250_000)
    for unit in range(2):
        cut = np.stack([traces[s - 10 : s + 20] for s in samples[inside & (index == unit)]]).astype(float)
        np.testing.assert_allclose(waves.mean[unit], cut.mean(axis=0), atol=1e-12)
        np.testing.assert_allclose(waves.sd[unit], cut.std(axis=0), atol=1e-9)
        assert waves.count[unit] == len(cut)
    assert np.isnan(waves.mean[2]).all()
    assert waves.time_ms[0] == -1.0
    assert waves.time_ms[10] == 0.0


def test_noise_of_known_level():
    traces = np.random.default_rng(0).normal(0, [1.0, 2.0, 4.0, 8.0], (300_000, 4)).astype(np.float32)
    np.testing.assert_allclose(noise_level(recording_of(traces)), [1, 2, 4, 8], rtol=0.02)


def test_unit_without_spikes_has_no_snr():
    recording, _ = synthetic_tetrode(2.0)
    assert np.isnan(signal_to_noise(recording, make_sorting([], [], ["none"], RATE_HZ), BAND)["none"])


def test_mismatches_are_refused():
    recording, truth = synthetic_tetrode(2.0)
    with pytest.raises(DataError, match="sampled at 20000 Hz"):
        mean_waveforms(recording, make_sorting([5], [0], ["a"], 20_000.0))
    with pytest.raises(DataError, match="of a recording of 20000"):
        mean_waveforms(recording, make_sorting([5, 20_000], [0, 0], ["a"], RATE_HZ))
    with pytest.raises(DataError, match="band"):
        signal_to_noise(recording, truth, (6000.0, 7000.0))


def test_true_times_move_to_the_extracellular_peak():
    recording, truth = synthetic_tetrode(10.0)
    assert {unit: peak.offset for unit, peak in unit_peaks(recording, truth, BAND).items()} == {"0": 0, "1": 0, "2": 0}
    # A soma that peaks 0.3 ms later, as a pyramidal cell's does.
    late = aligned_truth(truth, {"0": 3, "1": 0, "2": 0})
    offsets = {unit: peak.offset for unit, peak in unit_peaks(recording, late, BAND).items()}
    assert offsets == {"0": -3, "1": 0, "2": 0}
    back = aligned_truth(late, offsets)
    assert back.to_spike_vector().tobytes() == truth.to_spike_vector().tobytes()
