import numpy as np
from sklearn.cluster import KMeans
from sklearn.utils._openmp_helpers import _openmp_effective_n_threads
from threadpoolctl import threadpool_limits

from spikeline.openmp import one_openmp_thread


def test_loops_have_one_thread_inside_and_as_many_as_before_outside() -> None:
    with threadpool_limits(limits=2, user_api="openmp"):
        before = _openmp_effective_n_threads()
        with one_openmp_thread():
            assert _openmp_effective_n_threads() == 1
        assert _openmp_effective_n_threads() == before


def test_centres_are_the_same_whatever_is_allowed() -> None:
    points = np.random.default_rng(0).normal(size=(20_000, 6))
    found = set()
    for threads in (1, 2, 2, 2, 2):
        with threadpool_limits(limits=threads, user_api="openmp"), one_openmp_thread():
            found.add(KMeans(8, n_init=1, random_state=0, max_iter=10).fit(points).cluster_centers_.tobytes())
    assert len(found) == 1
