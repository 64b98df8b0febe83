"""What is quicker than the libraries' own way gives the same."""

from __future__ import annotations

import subprocess
import sys
import warnings

import numpy as np
import pytest

from spikeline.sorting.simsort.paper.flat_mean_shift import mean_shift_labels
from spikeline.sorting.simsort.paper.reduction import umap_reduced


def _clusters(n: int, n_clusters: int, seed: int, dimensions: int = 2, apart: float = 4.0) -> np.ndarray:
    draw = np.random.default_rng(seed)
    centres = apart * draw.normal(size=(n_clusters, dimensions))
    return centres[draw.integers(0, n_clusters, n)] + draw.normal(size=(n, dimensions))


@pytest.mark.parametrize(
    ("seed", "n_clusters", "dimensions", "apart"), [(0, 4, 2, 4.0), (1, 7, 2, 2.0), (2, 3, 5, 4.0), (3, 1, 2, 1.0)]
)
def test_mean_shift_is_scikit_learns(seed: int, n_clusters: int, dimensions: int, apart: float) -> None:
    from sklearn.cluster import MeanShift, estimate_bandwidth

    points = _clusters(300, n_clusters, seed, dimensions, apart)
    for quantile in (0.05, 0.12, 0.3):
        bandwidth = estimate_bandwidth(points, quantile=quantile, random_state=seed)
        expected = MeanShift(bandwidth=bandwidth).fit(points).labels_
        np.testing.assert_array_equal(mean_shift_labels(points, bandwidth), expected)


def test_mean_shift_of_points_that_lie_on_each_other_or_alone() -> None:
    points = np.array([[0.0, 0.0]] * 5 + [[10.0, 0.0]] * 3 + [[0.0, 50.0]])
    assert mean_shift_labels(points, 1.0).tolist() == [0] * 5 + [1] * 3 + [2]
    assert mean_shift_labels(points[:1], 0.5).tolist() == [0]


@pytest.mark.parametrize("apart", [1.0, 20.0])
def test_umap_is_umaps(apart: float) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from umap import UMAP

        points = _clusters(300, 3, 0, 16, apart).astype(np.float32)
        expected = UMAP(n_components=2, n_neighbors=15, random_state=7, n_jobs=1).fit_transform(points)
    np.testing.assert_array_equal(umap_reduced(points, seed=7), expected.astype(np.float64))


def test_umaps_kernels_are_kept_for_the_next_process() -> None:
    code = (
        "import warnings; warnings.simplefilter('ignore')\n"
        "import numpy as np\n"
        "from spikeline.sorting.simsort.paper.reduction import umap_reduced\n"
        "umap_reduced(np.random.default_rng(0).normal(size=(60, 5)).astype(np.float32), seed=0)\n"
        "from umap.layouts import optimize_layout_euclidean\n"
        "from umap.umap_ import smooth_knn_dist, compute_membership_strengths\n"
        "hits = [sum(f.stats.cache_hits.values()) for f in (smooth_knn_dist, compute_membership_strengths)]\n"
        "print(*hits)\n"
    )
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert [int(hits) for hits in done.stdout.split()] == [1, 1]
