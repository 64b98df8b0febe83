import random
import warnings

import numpy as np
import pytest

from spikeline.config.sorting import ScoringSettings, SorterSettings
from spikeline.errors import ConfigError, DataError
from spikeline.sorting import run
from spikeline.sorting.parameters import sorter_parameters
from spikeline.sorting.run import _NOTHING_FOUND, check_recording, sort_recording
from spikeline.sorting.scoring import score_sorting
from tests.saved_recordings import closed_files, saved
from tests.sorting.simsort.simsort_fakes import fake_pipeline
from tests.sorting.trains import recording_of, synthetic_tetrode, tetrode

__all__ = ["closed_files", "fake_pipeline"]
PLACES = tetrode().contact_positions
SORTERS = ("simple", "spykingcircus2", "tridesclous2", "lupin")


@pytest.fixture(scope="module")
def labelled():
    return synthetic_tetrode(10.0)


def _spikes(sorting):
    return sorting.to_spike_vector().tobytes(), sorting.unit_ids.tolist()


@pytest.mark.parametrize("sorter", SORTERS)
def test_finds_easy_units_and_the_same_ones_twice(labelled, sorter, capfd):
    recording, truth = labelled
    settings = SorterSettings(sorter=sorter)
    before = np.random.default_rng, np.random.get_state()[1].tobytes(), random.getstate()  # noqa: NPY002
    found = sort_recording(recording, settings, seed=5)
    assert (np.random.default_rng, np.random.get_state()[1].tobytes(), random.getstate()) == before  # noqa: NPY002
    assert capfd.readouterr().out == ""
    _, counts = score_sorting(truth, found, ScoringSettings(), recording="r", sorter=sorter)
    assert counts["well_detected"].item() == 3
    assert found.get_annotation("note") == ""
    assert _spikes(sort_recording(recording, settings, seed=5)) == _spikes(found)


@pytest.mark.parametrize("sorter", SORTERS)
def test_nothing_to_find_is_an_empty_sorting_that_says_so(sorter):
    noise = np.random.default_rng(0).uniform(-8, 8, (20_000, 4)).astype(np.float32)
    found = sort_recording(recording_of(noise), SorterSettings(sorter=sorter))
    assert len(found.unit_ids) == len(found.to_spike_vector()) == 0
    assert found.get_annotation("note") == "the sorter detected no events"


def test_what_a_sorter_says_of_its_units_is_kept(labelled, fake_pipeline):
    found = sort_recording(labelled[0], SorterSettings(sorter="simsort"))
    assert found.get_property("channel").tolist() == labelled[0].channel_ids[:3].tolist()
    assert found.get_property("mean_score").tolist() == [100.0, 101.0, 102.0]


@pytest.mark.parametrize("sorter", ["simsort", "simple"])
@pytest.mark.usefixtures("closed_files")
def test_traces_are_looked_at_once_and_refused_by_name(sorter, fake_pipeline, tmp_path, monkeypatch):
    looks = []
    original = run._check_traces
    monkeypatch.setattr(run, "_check_traces", lambda recording: looks.append(recording) or original(recording))
    recording = saved(synthetic_tetrode(3.0)[0], tmp_path / "recording")
    sort_recording(recording, SorterSettings(sorter=sorter))
    assert len(looks) == 1
    with pytest.raises(DataError, match=r"nan at 1\.2345 s on channel 2"):
        sort_recording(recording_of(_with_nan()), SorterSettings(sorter=sorter))
    assert len(looks) == 2
    with pytest.raises(DataError, match="no probe"):
        sort_recording(recording_of(_zeros(), probe=False), SorterSettings(sorter=sorter))
    assert len(looks) == 2


@pytest.mark.parametrize(("texts", "note"), _NOTHING_FOUND, ids=[texts[-1] for texts, _ in _NOTHING_FOUND])
def test_known_failures_are_matched_by_all_their_texts(texts, note, monkeypatch):
    from spikeinterface.sorters.utils import SpikeSortingError

    recording = synthetic_tetrode(1.0)[0]

    def sorted_with(trace):
        def fails(*arguments, **options):
            raise SpikeSortingError(trace)

        monkeypatch.setattr("spikeinterface.sorters.run_sorter", fails)
        return sort_recording(recording, SorterSettings(sorter="simple"))

    def trace_of(some):
        return "\n".join(["Traceback (most recent call last):", *some])

    found = sorted_with(trace_of(texts))
    assert note and found.get_annotation("note") == note and not len(found.unit_ids)
    for lacking in texts:
        with pytest.raises(DataError, match="sorter 'simple' failed"):
            sorted_with(trace_of(text for text in texts if text != lacking))


def test_another_failure_of_a_sorter_is_passed_on(labelled):
    with pytest.raises(DataError, match="unknown clustering method guesswork"):
        sort_recording(labelled[0], SorterSettings(sorter="simple", parameters={"clusterer": "guesswork"}))


def test_warnings_of_a_sorter_are_not_errors(labelled):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sort_recording(labelled[0], SorterSettings(sorter="simple"))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"detect_treshold": 4}, "did you mean 'detect_threshold'"),
        ({"xyz": 4}, "one of apply_preprocessing"),
        ({"seed": 4}, "threads and the seed are the run's"),
        ({"freq_max": 6000.0}, "below the Nyquist frequency, 5000 Hz"),
    ],
)
def test_wrong_parameters(labelled, parameters, message):
    with pytest.raises(ConfigError, match=message):
        sort_recording(labelled[0], SorterSettings(sorter="simple", parameters=parameters))


def test_unknown_sorter(labelled):
    with pytest.raises(ConfigError, match="did you mean tridesclous or tridesclous2"):
        sort_recording(labelled[0], SorterSettings(sorter="tridesclous3"))


def test_sorter_that_is_not_installed(labelled):
    with pytest.raises(ConfigError, match="not installed"):
        sort_recording(labelled[0], SorterSettings(sorter="herdingspikes"))


def test_no_threads(labelled):
    with pytest.raises(ConfigError, match="threads = 0"):
        sort_recording(labelled[0], SorterSettings(sorter="simple"), threads=0)


def _zeros():
    return np.zeros((20_000, 4), np.float32)


def _with_nan():
    traces = np.random.default_rng(0).normal(size=(20_000, 4)).astype(np.float32)
    traces[12_345, 2] = np.nan
    return traces


@pytest.mark.parametrize(
    ("recording", "message"),
    [
        (lambda: recording_of(_with_nan()), r"nan at 1\.2345 s on channel 2"),
        (lambda: recording_of(_zeros()), "every channel is constant"),
        (lambda: recording_of(_zeros()[:500]), r"lasts 0\.05 s"),
        (lambda: recording_of(_zeros(), probe=False), "no probe"),
        (lambda: recording_of(_zeros()[:, :0], probe=False), "no channels"),
    ],
)
def test_unusable_recordings(recording, message):
    with pytest.raises(DataError, match=message):
        check_recording(recording())


def test_several_segments_are_refused():
    import spikeinterface as si

    with pytest.raises(DataError, match="2 segments"):
        check_recording(si.append_recordings([recording_of(_zeros())] * 2))


def test_band_is_fitted_to_the_rate_and_blocks_are_merged():
    slow = sorter_parameters(
        SorterSettings(sorter="spykingcircus2", parameters={"filtering": {"freq_min": 300}}), PLACES, 10_000.0, 2, 3
    )
    assert slow["filtering"] == {"freq_min": 300, "freq_max": 4500.0, "ftype": "bessel", "filter_order": 2}
    assert slow["job_kwargs"]["n_jobs"] == 2
    assert slow["seed"] == 3
    fast = sorter_parameters(SorterSettings(sorter="tridesclous2"), PLACES, 30_000.0, 1, 3)
    assert fast["freq_max"] == 6000.0
