import builtins
import importlib.util

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from spikeline.artifacts import seed_stream
from spikeline.errors import ConfigError, DataError, NumericalError
from spikeline.sorting.simsort.paper import clustering, reduction

ORACLES = [
    clustering.oracle_gaussian_mixture_units,
    clustering.oracle_k_means_units,
    clustering.oracle_spectral_units,
]


def _groups(n_groups=3, each=60, dimensions=2, spread=0.03):
    """Points in far groups, and which group each is in."""
    stream = seed_stream(0, "test-clustering")
    centres = stream.permutation(np.eye(max(n_groups, dimensions)))[:n_groups, :dimensions]
    truth = stream.permutation(np.repeat(np.arange(n_groups), each))
    return centres[truth] + spread * stream.standard_normal((len(truth), dimensions)), truth


def _standardised_groups(spread=0.03):
    points, truth = _groups(dimensions=3, spread=spread)
    return reduction.standardised(points), truth


@pytest.mark.parametrize("find", ORACLES)
def test_oracles_find_far_groups(find):
    points, truth = _standardised_groups()
    found = find(points, 3, seed=0)
    assert adjusted_rand_score(truth, found) == 1
    np.testing.assert_array_equal(found, find(points, 3, seed=0))
    assert len(np.unique(find(points, 5, seed=0))) == 5  # whatever they are told


def test_mean_shift_finds_the_number_of_groups():
    points, truth = _standardised_groups()
    found = clustering.mean_shift_units(points, quantile=0.3, seed=0)
    assert adjusted_rand_score(truth, found) == 1


def test_its_quantile_decides_how_many():
    points, _ = _groups(1, 120)
    points = reduction.standardised(points)
    counts = [len(np.unique(clustering.mean_shift_units(points, quantile=q, seed=0))) for q in (0.04, 0.12, 1.0)]
    assert counts[0] > counts[1] > counts[2] == 1


def test_dbscan_leaves_the_sparse_out():
    points, truth = _standardised_groups(spread=0.01)
    found = clustering.dbscan_units(np.concatenate([points, [[9.0, 9.0, 9.0]]]))
    assert adjusted_rand_score(truth, found[:-1]) == 1
    assert found[-1] == clustering.NOISE


def test_principal_components_keep_the_largest_variance():
    points, _ = _groups(8, 20, dimensions=8)
    found = reduction.principal_components(points)
    values = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
    np.testing.assert_allclose((found**2).sum(axis=0), values[:5] ** 2)


def test_t_sne_keeps_far_groups_apart():
    points, truth = _groups(each=25, dimensions=5)
    found = reduction.t_sne_reduced(points, seed=0)
    assert found.shape == (75, 2)
    assert adjusted_rand_score(truth, clustering.oracle_k_means_units(found, 3, seed=0)) == 1


@pytest.mark.skipif(importlib.util.find_spec("umap") is None, reason="umap-learn is not installed")
def test_the_published_chain_finds_far_groups_and_the_same_ones_again():
    embeddings, truth = _groups(4, 40, dimensions=16)
    found = clustering.paper_units(embeddings, quantile=0.2, seed=0)
    assert adjusted_rand_score(truth, found) == 1
    np.testing.assert_array_equal(found, clustering.paper_units(embeddings, quantile=0.2, seed=0))


def test_umap_that_is_not_installed_is_said_so(monkeypatch):
    importing = builtins.__import__

    def without_umap(name, *arguments, **keywords):
        if name == "umap":
            raise ImportError("No module named 'umap'")
        return importing(name, *arguments, **keywords)

    monkeypatch.setattr(builtins, "__import__", without_umap)
    with pytest.raises(ConfigError, match="pip install umap-learn"):
        reduction.umap_reduced(np.zeros((20, 3)), seed=0)


def test_too_few_spikes_are_refused():
    for reduce in (reduction.umap_reduced, reduction.t_sne_reduced):
        with pytest.raises(DataError, match="15 spikes"):
            reduce(np.zeros((15, 3)), seed=0)
    with pytest.raises(DataError, match="4 embeddings of 9 values"):
        reduction.principal_components(np.zeros((4, 9)))
    for find in ORACLES:
        with pytest.raises(DataError, match="2 spikes for 3 units"):
            find(np.eye(2), 3, seed=0)


def test_points_that_say_nothing_are_refused():
    with pytest.raises(NumericalError, match="a bandwidth of 0"):
        clustering.mean_shift_units(np.zeros((20, 2)), quantile=0.5, seed=0)
    with pytest.raises(NumericalError, match="not finite"):
        clustering.dbscan_units(np.full((20, 2), np.nan))
    with pytest.raises(ConfigError, match="a quantile of 0"):
        clustering.mean_shift_units(np.eye(3), quantile=0, seed=0)
