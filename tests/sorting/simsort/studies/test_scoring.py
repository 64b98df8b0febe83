"""What networks are worth on a recording: the scorer's numbers, the detector's, the embedding's."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from spikeline.artifacts import read_csv, read_weights, verify_tree
from spikeline.config.sorting import ScoringSettings, SorterSettings
from spikeline.errors import FormatError
from spikeline.simulation.recordings.recording import read_recording
from spikeline.sorting.simsort.evaluation.cut_spikes import DRAWS, cut_true_spikes
from spikeline.sorting.simsort.evaluation.network_view import network_view
from spikeline.sorting.simsort.evaluation.truth import true_spikes
from spikeline.sorting.simsort.merging import CHANCE_DIP, merge_clusters
from spikeline.sorting.simsort.mixture import fit_mixture
from spikeline.sorting.simsort.networks import load_networks
from spikeline.sorting.simsort.studies.scoring import after, score_networks
from spikeline.sorting.simsort.studies.steps import gathered, heard_minutes, join_parts, score_networks_to_file
from spikeline.training.export import export_weights

BAND = (300.0, 3000.0)
TRAINED_ON = {
    "training": {"steps": 9},
    "batches": {"scenes_per_batch": 4, "steps_per_scene": 16},
    "scenes": {"duration_s": 30.0},
    "bank": {"training": ["a/v000-0", "b/v000-0"]},
}


def minutes(**changes) -> float:
    return heard_minutes({"trained_on": {**TRAINED_ON, **changes}})


def test_different_scenes_are_counted_as_the_batches_ask_for_them() -> None:
    # steps 0 to 8 begin with scenes 0, 0, 0, 0, 1, 1, 1, 1, 2 and take four each: scenes 0 to 5
    assert minutes() == 6 * 30 / 60
    assert minutes(different_scenes=3) == 3 * 30 / 60
    assert minutes(different_scenes=30) == 6 * 30 / 60
    assert minutes(training={"steps": 1}) == 4 * 30 / 60


def test_easy_units_are_sorted_detected_and_told_apart(weights: Path, easy_folder: Path) -> None:
    made = read_recording(easy_folder)
    scores = score_networks(
        made, weights, SorterSettings(sorter="simsort"), ScoringSettings(), BAND, name="easy", seed=1
    )
    assert set(scores["rule"]) == {"spikeinterface", "simsort"} and len(scores) == 6
    assert dict(zip(scores["unit_id"], scores["cell"], strict=True)) == {"0": "A", "1": "B", "2": "C"}
    assert scores["accuracy"].min() > 0.9
    first = scores.iloc[0]
    assert first["detection_recall"] > 0.95 and first["units_found"] >= 3
    assert first["ari"] == pytest.approx(_index_of_the_clustering(weights, made))
    f1 = 2 / (1 / first["detection_recall"] + 1 / first["detection_precision"])
    assert first["detection_f1"] == pytest.approx(f1)


def _index_of_the_clustering(weights: Path, made) -> float:
    """Of the sorter's clustering of the true spikes, over all draws of their jitter."""
    networks = load_networks(weights, "cpu")
    truth = true_spikes(made.recording, made.sorting, BAND)
    view, indices = network_view(made.recording, networks), []
    for draw in range(DRAWS):
        (cut,) = cut_true_spikes(view, truth, name="easy", seed=1, draw=draw)
        points = networks.embed(cut.traces, cut.peaks)
        labels = merge_clusters(points, fit_mixture(points)[1], cut.times, cut.rate_hz, CHANCE_DIP)
        indices.append(adjusted_rand_score(cut.unit_index, labels))
    assert min(indices) > 0.3  # jittered by a sample, single samples tell these units apart only so far
    return float(np.mean(indices))


def test_the_beginning_can_be_left_out(easy_folder: Path) -> None:
    made = read_recording(easy_folder)
    recording, sorting = after(made, 12.0)
    rate = recording.get_sampling_frequency()
    assert recording.get_num_samples() == made.recording.get_num_samples() - round(12 * rate)
    assert np.array_equal(
        recording.get_traces(end_frame=50), made.recording.get_traces(start_frame=round(12 * rate))[:50]
    )
    train = made.sorting.get_unit_spike_train(0)
    assert np.array_equal(sorting.get_unit_spike_train(0), train[train >= 12 * rate] - round(12 * rate))
    assert after(made, 0.0)[0] is made.recording


def test_the_table_says_how_much_was_heard_and_where_networks_lie_apart(
    weights: Path, easy_folder: Path, tmp_path: Path
) -> None:
    networks, places = load_networks(weights, "cpu"), {}
    for network in ("detector", "identifier"):
        _, card = read_weights(weights / f"{network}.safetensors")
        places[network] = tmp_path / f"{network}-there/{network}.safetensors"
        export_weights(getattr(networks, network), places[network], {**card, "trained_on": TRAINED_ON})
    table = tmp_path / "scores/easy.csv"
    sorter = SorterSettings(sorter="simsort")
    score_networks_to_file(easy_folder, places, table, sorter, ScoringSettings(), BAND, seed=1, start_s=8.0)
    assert verify_tree(table.parent).ok and [path.name for path in table.parent.glob("*.csv")] == ["easy.csv"]
    scores = read_csv(table)
    assert set(scores["minutes"]) == {6.0} and set(scores["neurons"]) == {2} and set(scores["recording"]) == {"easy"}
    join_parts(
        [{"study": "s", "variant": name, "repeat": 0, "path": str(table)} for name in ("one", "two")],
        tmp_path / "study.csv",
    )
    joined = read_csv(tmp_path / "study.csv")
    assert list(joined.columns[:4]) == ["study", "variant", "repeat", "recording"]
    assert joined["variant"].tolist() == ["one"] * len(scores) + ["two"] * len(scores)


def test_a_damaged_network_is_refused(weights: Path, easy_folder: Path, tmp_path: Path) -> None:
    with gathered({network: weights / f"{network}.safetensors" for network in ("detector", "identifier")}) as folder:
        card = folder / "detector.card.json"
        card.write_text(json.dumps({**json.loads(card.read_text()), "arrays_sha256": "0" * 64}))
        (folder / "detector.safetensors").write_bytes(b"no weights")
        with pytest.raises(FormatError):
            score_networks(
                read_recording(easy_folder),
                folder,
                SorterSettings(sorter="simsort"),
                ScoringSettings(),
                BAND,
                name="easy",
                seed=1,
            )
