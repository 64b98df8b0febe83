"""Other clusterings of the embedding: all combinations, each as it is called."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from spikeline.artifacts import read_csv, seed_integer
from spikeline.config.sorting import ScoringSettings, SorterSettings
from spikeline.errors import DataError
from spikeline.simulation.recordings.recording import read_recording
from spikeline.sorting.simsort.evaluation.cut_spikes import cut_true_spikes
from spikeline.sorting.simsort.evaluation.network_view import network_view
from spikeline.sorting.simsort.evaluation.truth import true_spikes
from spikeline.sorting.simsort.networks import load_networks
from spikeline.sorting.simsort.studies.clusterings import CLUSTERERS, REDUCERS, clustering_table
from spikeline.sorting.simsort.studies.steps import clustering_table_to_file

BAND = (300.0, 3000.0)


def test_every_reducer_meets_every_clusterer_and_denoising_is_by_itself(
    weights: Path, easy_folder: Path, tmp_path: Path
) -> None:
    sorter = SorterSettings(sorter="simsort", parameters={"weights": str(weights)})
    clustering_table_to_file(easy_folder, tmp_path / "one.csv", sorter, ScoringSettings(), BAND, seed=4)
    table = read_csv(tmp_path / "one.csv")
    plain = table[table["denoising"] == "off"]
    assert set(zip(plain["reducer"], plain["clusterer"], strict=True)) == {(r, c) for r in REDUCERS for c in CLUSTERERS}
    assert len(plain) == len(REDUCERS) * len(CLUSTERERS)
    others = table[table["denoising"] != "off"]
    assert others[["denoising", "reducer", "clusterer"]].to_numpy().tolist() == [
        ["batch", "none", "mixture"],
        ["fixed_basis", "none", "mixture"],
    ]
    told = plain[plain["clusterer"].str.startswith("told")]
    assert set(told["n_clusters"]) == {3} and set(table["n_units"]) == {3}
    assert np.isfinite(table["ari"]).all()
    indices = plain.set_index(["reducer", "clusterer"])["ari"]
    assert indices["none", "told_k_means"] == pytest.approx(_by_hand(easy_folder, weights), abs=1e-6)


def _by_hand(folder: Path, weights: Path) -> float:
    """The index of k-means on the embedding, told the number."""
    made, networks = read_recording(folder), load_networks(weights, "cpu")
    truth = true_spikes(made.recording, made.sorting, BAND)
    (cut,) = cut_true_spikes(network_view(made.recording, networks), truth, name="easy", seed=4, most_spikes=1500)
    points = networks.embed(cut.traces, cut.peaks).astype(np.float64)
    found = KMeans(3, random_state=seed_integer(4, "clusterings", "easy")).fit_predict(points)
    return float(adjusted_rand_score(cut.unit_index, found))


def test_too_few_spikes_are_refused(weights: Path, easy_folder: Path) -> None:
    made, networks = read_recording(easy_folder), load_networks(weights, "cpu")
    rate = made.recording.get_sampling_frequency()
    recording, sorting = (part.frame_slice(0, round(rate)) for part in (made.recording, made.sorting))
    with pytest.raises(DataError, match="too few true spikes"):
        clustering_table(
            network_view(recording, networks), true_spikes(recording, sorting, BAND), networks, name="easy", seed=1
        )
