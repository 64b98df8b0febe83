import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from spikeline.artifacts import file_checksum, read_csv, read_manifest
from spikeline.config.recordings import RecordingSettings
from spikeline.config.sorting import ScoringSettings, SorterSettings
from spikeline.errors import DataError
from spikeline.sorting.simsort.evaluation.clusterings import CLUSTERINGS
from spikeline.sorting.simsort.evaluation.features import FEATURES
from spikeline.sorting.simsort.evaluation.steps import (
    DatasetPlace,
    detection_tables_to_files,
    identification_tables_to_files,
    join_tables,
    snippet_tables_to_files,
)
from tests.sorting.simsort.evaluation.conftest import BAND
from tests.sorting.trains import RATE_HZ

DETECTION = ("scores", "units", "excerpt", "probability", "spikes", "events")
IDENTIFICATION = ("scores", "points", "outlines", "waveforms")


@pytest.fixture(scope="module")
def folder(easy, tmp_path_factory):
    from spikeline.simulation.recordings.probes import make_probe
    from spikeline.simulation.recordings.recording import LabelledRecording, contact_positions, write_recording

    recording, sorting, _ = easy
    probe = make_probe(RecordingSettings().probe)
    counts = sorting.count_num_spikes_per_unit()
    units = pd.DataFrame({"unit_id": range(3), "cell": ["A", "B", "C"], "n_spikes": list(counts.values())})
    path = tmp_path_factory.mktemp("recordings") / "easy"
    write_recording(path, LabelledRecording(recording, sorting, probe, units, contact_positions(probe)))
    return path


def _outputs(folder, names):
    return {name: folder / f"{name}.csv" for name in names}


def _sorter(weights, **parameters):
    return SorterSettings(sorter="simsort", parameters={"weights": str(weights), **parameters})


def test_detection_tables_are_written_whole_and_alike(folder, weights, tmp_path):
    sorter = _sorter(weights, detection_probability=0.6)
    for place in ("one", "two"):
        outputs = _outputs(tmp_path / place, DETECTION)
        detection_tables_to_files(folder, outputs, sorter, ScoringSettings(), BAND)
    names = {f"{name}.csv{suffix}" for name in DETECTION for suffix in ("", ".manifest.json")}
    assert {path.name for path in (tmp_path / "one").iterdir()} == names
    for name in DETECTION:
        assert (tmp_path / "one" / f"{name}.csv").read_bytes() == (tmp_path / "two" / f"{name}.csv").read_bytes()
    assert read_manifest(tmp_path / "one/scores.csv")["schema"] == "detection-scores"
    scores = read_csv(tmp_path / "one/scores.csv")
    assert scores.loc[scores["in_sorter"], "threshold"].tolist() == [0.6]
    assert set(scores["recording"]) == {"easy"} and set(scores["data"]) == {"simulated"}


def test_trained_weights_are_the_folder_that_is_given(folder, weights, tmp_path):
    trained = SorterSettings(sorter="simsort", parameters={"weights": "trained"})
    outputs = _outputs(tmp_path / "trained", IDENTIFICATION)
    identification_tables_to_files(folder, outputs, trained, ScoringSettings(), BAND, seed=1, trained_weights=weights)
    again = _outputs(tmp_path / "given", IDENTIFICATION)
    identification_tables_to_files(folder, again, _sorter(weights), ScoringSettings(), BAND, seed=1)
    for name in IDENTIFICATION:
        assert outputs[name].read_bytes() == again[name].read_bytes(), name


def _entry(path, **more):
    facts = {"title": "mine", "source": "a test", "version": "1", "licence": "mine", "unit": "arbitrary"}
    return {**facts, "path": path.name, "sha256": file_checksum(path), **more}


@pytest.fixture
def data_sets(easy, tmp_path):
    """A single channel with known spikes, snippets of it, and a recording nobody knows the spikes of."""
    recording, _, truth = easy
    root = tmp_path / "data"
    root.mkdir()
    trace = recording.get_traces()[:, 0]
    times, classes = truth.spike_samples - 10, truth.unit_index + 1
    np.savez(root / "single.npz", data=trace, fs=RATE_HZ, spike_times=times, spike_class=classes)
    np.savez(root / "tetrode.npz", data=recording.get_traces(), fs=RATE_HZ)
    inside = truth.spike_samples[(truth.spike_samples > 20) & (truth.spike_samples < len(trace) - 40)]
    cut = trace[inside[:, None] + np.arange(-20, 40)]
    np.savez(root / "cut.npz", waveforms=cut, labels=truth.unit_index[: len(cut)], fs=RATE_HZ)
    known = {"reader": "quiroga_npz", "peak_offset_samples": 10, "truth_complete": True}
    entries = {
        "single": _entry(root / "single.npz", **known),
        "cut": _entry(root / "cut.npz", reader="quiroga_snippets_npz", peak_offset_samples=20),
        "unknown": _entry(
            root / "tetrode.npz", reader="tetrode_npz", sampling_rate_hz=RATE_HZ, contact_distance_um=20.0
        ),
    }
    (tmp_path / "datasets.yaml").write_text(json.dumps(entries))  # JSON is YAML
    return lambda name: DatasetPlace(name, root, tmp_path / "datasets.yaml")


def test_a_real_recording_is_evaluated_as_a_simulated_one(data_sets, weights, tmp_path):
    outputs = _outputs(tmp_path / "single", DETECTION)
    detection_tables_to_files(data_sets("single"), outputs, _sorter(weights), ScoringSettings(), BAND)
    scores = read_csv(outputs["scores"])
    assert set(scores["recording"]) == {"single"} and set(scores["data"]) == {"real"}
    assert scores["f1"].max() > 0.8
    with pytest.raises(DataError, match="has no ground truth"):
        detection_tables_to_files(data_sets("unknown"), outputs, _sorter(weights), ScoringSettings(), BAND)


def test_snippets_of_a_data_set(data_sets, weights, tmp_path):
    outputs = _outputs(tmp_path / "cut", IDENTIFICATION)
    snippet_tables_to_files(data_sets("cut"), outputs, _sorter(weights), seed=1)
    assert set(read_csv(outputs["scores"])["data"]) == {"snippets"}
    assert read_csv(outputs["scores"])["n_units"].tolist() == [3] * len(FEATURES) * len(CLUSTERINGS)


def test_tables_are_joined_in_order(tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text(f"recording,f1\n{name},0.5\n")
    join_tables([tmp_path / "b.csv", tmp_path / "a.csv"], tmp_path / "joined.csv")
    assert read_csv(tmp_path / "joined.csv")["recording"].tolist() == ["b", "a"]


def test_importing_the_steps_is_light():
    heavy = {"torch", "spikeinterface", "lightning", "sklearn", "umap"}
    code = (
        f"import sys, spikeline.sorting.simsort.evaluation.steps; bad = {heavy} & set(sys.modules); assert not bad, bad"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
