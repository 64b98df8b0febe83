import json
import os
import shutil

import numpy as np
import pandas as pd
import pytest

from spikeline.artifacts import file_checksum, read_csv
from spikeline.config.recordings import RecordingSettings
from spikeline.config.sorting import ScoringSettings, SorterSettings
from spikeline.errors import DataError, FormatError
from spikeline.sorting.scoring import COUNT_COLUMNS, SCORE_COLUMNS
from spikeline.sorting.sorting_file import read_sorting
from spikeline.sorting.steps import real_tables_to_files, score_to_files, sort_dataset_to_file, sort_to_file
from tests.sorting.trains import synthetic_tetrode

BAND = (300.0, 3000.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    from spikeline.simulation.recordings.probes import make_probe
    from spikeline.simulation.recordings.recording import LabelledRecording, contact_positions, write_recording

    recording, truth = synthetic_tetrode(10.0)
    probe = make_probe(RecordingSettings().probe)
    counts = truth.count_num_spikes_per_unit()
    units = pd.DataFrame({"unit_id": range(3), "cell": ["A", "B", "C"], "n_spikes": list(counts.values())})
    path = tmp_path_factory.mktemp("recordings") / "easy"
    write_recording(path, LabelledRecording(recording, truth, probe, units, contact_positions(probe)))
    return path


def test_from_recording_to_tables(folder, tmp_path):
    paths = {name: tmp_path / f"{name}.h5" for name in ("simple", "quiet")}
    assert sort_to_file(folder, paths["simple"], SorterSettings(sorter="simple"), seed=1) == ""
    # A threshold that nothing reaches.
    deaf = SorterSettings(sorter="simple", parameters={"detect_threshold": 500.0})
    assert sort_to_file(folder, paths["quiet"], deaf, seed=1) == "the sorter detected no events"
    score_to_files(folder, paths, tmp_path / "scores.csv", tmp_path / "counts.csv", ScoringSettings(), BAND)
    scores, counts = read_csv(tmp_path / "scores.csv"), read_csv(tmp_path / "counts.csv")
    assert list(scores.columns) == SCORE_COLUMNS
    assert list(counts.columns) == COUNT_COLUMNS
    assert len(scores) == 3 * 2 * 2
    assert set(scores["cell"]) == {"A", "B", "C"}
    assert scores["snr"].between(5, 30).all()
    assert counts.set_index("sorter")["well_detected"].to_dict() == {"simple": 3, "quiet": 0}


def test_a_folder_that_spikeinterface_saved(folder, tmp_path):
    sorter = SorterSettings(sorter="simple")
    sort_to_file(folder, tmp_path / "ours.h5", sorter, seed=1)
    shutil.copytree(folder / "recording", tmp_path / folder.name)  # the same name: sorters are seeded by it
    assert sort_to_file(tmp_path / folder.name, tmp_path / "theirs.h5", sorter, seed=1) == ""
    ours, theirs = read_sorting(tmp_path / "ours.h5"), read_sorting(tmp_path / "theirs.h5")
    np.testing.assert_array_equal(ours.to_spike_vector(), theirs.to_spike_vector())


def test_a_data_set_that_spikeinterface_saved(folder, tmp_path):
    entry = {
        "title": "mine", "path": "easy/recording", "reader": "spikeinterface", "source": "a test", "version": "1",
        "sha256": file_checksum(folder / "recording"), "licence": "mine",
    }  # fmt: skip
    (tmp_path / "datasets.yaml").write_text(json.dumps({"mine": entry}))  # JSON is YAML
    where = ("mine", folder.parent, tmp_path / "datasets.yaml")
    assert sort_dataset_to_file(*where, tmp_path / "simple.h5", SorterSettings(sorter="simple"), seed=1) == ""
    outputs = [tmp_path / f"{name}.csv" for name in ("waveforms", "excerpt", "spikes")]
    real_tables_to_files(*where, {"simple": tmp_path / "simple.h5"}, *outputs, BAND)
    assert set(read_csv(outputs[1])["unit"]) == {"uV"}


def test_a_saved_recording_that_cannot_be_sorted(folder, tmp_path):
    saved, sorter = tmp_path / "saved", SorterSettings(sorter="simple")
    shutil.copytree(folder / "recording", saved)
    (saved / "probegroup.json").unlink()
    with pytest.raises(DataError, match="the recording has no probe"):
        sort_to_file(saved, tmp_path / "s.h5", sorter, seed=1)
    description = json.loads((saved / "binary.json").read_text())
    description["kwargs"]["file_paths"] *= 2
    (saved / "binary.json").write_text(json.dumps(description))
    with pytest.raises(DataError, match="2 segments"):
        sort_to_file(saved, tmp_path / "s.h5", sorter, seed=1)
    with pytest.raises(FormatError, match="is not a folder"):
        sort_to_file(tmp_path / "none", tmp_path / "s.h5", sorter, seed=1)


def test_same_bytes_again(folder, tmp_path):
    for name in ("a", "b"):
        sort_to_file(folder, tmp_path / name / "simple.h5", SorterSettings(sorter="simple"), seed=1)
        score_to_files(
            folder,
            {"simple": tmp_path / name / "simple.h5"},
            tmp_path / name / "s.csv",
            tmp_path / name / "c.csv",
            ScoringSettings(),
            BAND,
        )
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes(), file.name


def test_no_sortings(folder, tmp_path):
    with pytest.raises(DataError, match="no sorting was given"):
        score_to_files(folder, {}, tmp_path / "s.csv", tmp_path / "c.csv", ScoringSettings(), BAND)


@pytest.mark.skipif(
    "SPIKELINE_DATA_ROOT" not in os.environ,
    reason="set SPIKELINE_DATA_ROOT to a folder with sorting/locust_trial_01.npz",
)
def test_locust_tetrode(tmp_path):
    root, table = os.environ["SPIKELINE_DATA_ROOT"], "config/datasets.yaml"
    sort_dataset_to_file(
        "locust_trial_01", root, table, tmp_path / "tdc.h5", SorterSettings(sorter="tridesclous2"), seed=1
    )
    counts = read_sorting(tmp_path / "tdc.h5").count_num_spikes_per_unit()
    assert 3 <= len(counts) <= 12
    assert 500 <= sum(counts.values()) <= 1500
    outputs = [tmp_path / f"{name}.csv" for name in ("waveforms", "excerpt", "spikes")]
    real_tables_to_files("locust_trial_01", root, table, {"tridesclous2": tmp_path / "tdc.h5"}, *outputs, BAND)
    assert set(read_csv(outputs[1])["unit"]) == {"adc"}
