import threading
import time

import pytest

from spikeline.dynamics.em.shared_work import SharedWork, default_threads


@pytest.mark.parametrize("n_threads", [1, 2, 5])
def test_results_come_in_the_order_of_the_jobs(n_threads):
    def slow_first(i):
        time.sleep(0.02 if i == 0 else 0.0)
        return i * i

    assert SharedWork(n_threads).run(slow_first, ((i,) for i in range(9))) == [i * i for i in range(9)]


def test_no_jobs_have_no_results():
    assert SharedWork(2).run(abs, []) == []


def test_threads_work_beside_each_other():
    meeting = threading.Barrier(2, timeout=10)
    assert len(SharedWork(2).run(lambda _: meeting.wait(), [(0,), (1,)])) == 2


@pytest.mark.parametrize("n_threads", [1, 3])
def test_a_failing_job_is_told_and_the_rest_is_left(n_threads):
    begun = []

    def job(i):
        begun.append(i)
        time.sleep(0.01)
        if i == 1:
            raise ValueError("job 1")

    work = SharedWork(n_threads)
    with pytest.raises(ValueError, match="job 1"):
        work.run(job, ((i,) for i in range(1000)))
    assert len(begun) < 1000
    assert work.run(abs, [(-1,), (2,)]) == [1, 2]  # and can work on


def test_threads_are_as_many_as_the_environment_says(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert default_threads() == 1
