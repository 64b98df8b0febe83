"""Batches: what they may hold, that they are pure, and that they come in order however they are made."""

from __future__ import annotations

import random
import threading
import time
from typing import Any

import numpy as np
import pytest
import torch

from spikeline.artifacts import seed_stream
from spikeline.errors import DataError
from spikeline.training import Batch
from spikeline.training.batches import as_tensors, check_batches
from spikeline.training.prefetch import Prefetcher


class Of:
    """Batches from a function of the step."""

    def __init__(self, function: Any) -> None:
        self.batch = function


def test_arrays_become_tensors_on_the_same_memory() -> None:
    array = np.zeros(3, dtype=np.float32)
    batch = as_tensors({"x": array, "rest": (array, [torch.ones(1)])}, 0)
    array[0] = 5
    assert isinstance(batch, Batch) and batch["x"][0] == 5
    assert isinstance(batch["rest"], tuple) and batch["rest"][0][0] == 5


@pytest.mark.parametrize("part", [None, 3.0, "x", np.array(["x"]), np.array([None])])
def test_anything_else_is_refused(part: Any) -> None:
    with pytest.raises(DataError, match="the batch of step 7 holds a"):
        as_tensors({"x": part}, 7)


def test_a_name_the_batch_does_not_have() -> None:
    batch = Batch(x=torch.zeros(1))
    assert batch.get("y") is None and "y" not in batch
    with pytest.raises(DataError, match="'y'"):
        batch["y"]


def test_a_pure_source_passes() -> None:
    check_batches(Of(lambda step: {"x": seed_stream(1, "x", str(step)).normal(size=3)}), 3)
    check_batches(Of(lambda step: (np.array([np.nan, 1.0]), torch.zeros(2, dtype=torch.bool))), 3)


def test_sources_that_are_not_pure() -> None:
    count = iter(range(10))
    with pytest.raises(DataError, match="two different batches"):
        check_batches(Of(lambda step: np.array([next(count)])), 0)
    with pytest.raises(DataError, match="two different batches"):
        check_batches(Of(lambda step: [np.zeros(1)] * (1 + next(count) % 2)), 0)
    for draw in (np.random.random, random.random, lambda: torch.rand(1).item()):
        with pytest.raises(DataError, match="global random generator"):
            check_batches(Of(lambda step, draw=draw: np.array([draw() * 0])), 0)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_batches_come_in_order(threads: int) -> None:
    made, lock = [], threading.Lock()

    def batch(step: int) -> Any:
        time.sleep(0.003 * (step % 3))
        with lock:
            made.append(step)
        return np.array([step])

    source = Prefetcher(Of(batch), 4, 20, threads)
    assert [int(batch[0]) for batch in source] == list(range(4, 20))
    assert sorted(made) == list(range(4, 20))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("batches")]


def test_waiting_is_measured() -> None:
    slow = Prefetcher(Of(lambda step: time.sleep(0.02) or np.zeros(1)), 0, 5)
    list(slow)
    assert slow.waited_s >= 0.09
    ahead = Prefetcher(Of(lambda step: time.sleep(0.005) or np.zeros(1)), 0, 5)
    for _ in ahead:
        time.sleep(0.03)
    assert ahead.waited_s < 0.05


def test_it_keeps_only_a_few_batches_ahead() -> None:
    made = []
    source = Prefetcher(Of(lambda step: made.append(step) or np.zeros(1)), 0, 100)
    iterator = iter(source)
    next(iterator)
    time.sleep(0.05)
    assert len(made) <= 4
    source.close()


def test_an_error_in_a_thread_arrives() -> None:
    def batch(step: int) -> Any:
        if step == 2:
            raise DataError("a", "b", "c")
        return np.zeros(1)

    iterator = iter(Prefetcher(Of(batch), 0, 5))
    assert len([next(iterator), next(iterator)]) == 2
    with pytest.raises(DataError, match="a"):
        next(iterator)
