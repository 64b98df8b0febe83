"""Other clusterings of the embedding: all combinations, each as it is called."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.cluster import DBSCAN, KMeans, SpectralClustering
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import StandardScaler

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
    told = plain[plain["clusterer"].isin(["told_mixture", "told_k_means"])]
    assert set(told["n_clusters"]) == {3} and set(table["n_units"]) == {3}
    assert np.isfinite(table["ari"]).all()
    indices = plain.set_index(["reducer", "clusterer"])["ari"]
    for combination, expected in _by_hand(easy_folder, weights).items():
        assert indices[combination] == pytest.approx(expected, abs=1e-6), combination


def _by_hand(folder: Path, weights: Path) -> dict[tuple[str, str], float]:
    """The index of some combinations, by scikit-learn itself."""
    made, networks = read_recording(folder), load_networks(weights, "cpu")
    truth = true_spikes(made.recording, made.sorting, BAND)
    (cut,) = cut_true_spikes(network_view(made.recording, networks), truth, name="easy", seed=4, most_spikes=1500)
    points = networks.embed(cut.traces, cut.peaks).astype(np.float64)
    seed = seed_integer(4, "clusterings", "easy")
    plane = StandardScaler().fit_transform(TSNE(2, random_state=seed).fit_transform(points.astype(np.float32)))
    components = StandardScaler().fit_transform(PCA(5, svd_solver="full").fit_transform(points))
    found = {
        ("none", "told_k_means"): KMeans(3, random_state=seed).fit_predict(points),
        ("t_sne", "dbscan"): DBSCAN(eps=0.15, min_samples=20).fit_predict(plane),
        ("pca", "told_spectral"): SpectralClustering(3, random_state=seed).fit_predict(components),
    }
    return {name: float(adjusted_rand_score(cut.unit_index, labels)) for name, labels in found.items()}


def test_too_few_spikes_are_refused(weights: Path, easy_folder: Path) -> None:
    made, networks = read_recording(easy_folder), load_networks(weights, "cpu")
    rate = made.recording.get_sampling_frequency()
    recording, sorting = (part.frame_slice(0, round(rate)) for part in (made.recording, made.sorting))
    with pytest.raises(DataError, match="too few true spikes"):
        clustering_table(
            network_view(recording, networks), true_spikes(recording, sorting, BAND), networks, name="easy", seed=1
        )
