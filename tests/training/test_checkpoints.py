"""Checkpoints and the file they are: everything comes back, damage is seen, the last two are kept."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from spikeline.artifacts import manifest_path, verify_tree
from spikeline.artifacts.pickles import pickle_inside
from spikeline.errors import FormatError
from spikeline.training.checkpoints import Checkpoints
from spikeline.training.random_states import random_states, seeded, set_random_states
from spikeline.training.state_file import read_state, write_state


def test_everything_comes_back(tmp_path: Path) -> None:
    tied = torch.arange(6.0).reshape(2, 3)
    state = {
        "optimiser": {0: {"step": torch.tensor(3.0)}, 1: (1, 2.5, None, True, "text")},
        "tied": [tied, tied.T, tied[1]],
        "half": torch.ones(2, dtype=torch.bfloat16),
        "empty": [torch.zeros(0), [], {}, ()],
        "array": np.arange(3, dtype=np.uint32),
        "number": np.float64(0.1),
        "odd": [float("nan"), float("inf")],
    }
    path = tmp_path / "s.safetensors"
    write_state(path, state)
    read = read_state(path)
    assert read["optimiser"] == state["optimiser"]
    assert [torch.equal(a, b) for a, b in zip(read["tied"], state["tied"], strict=True)] == [True] * 3
    assert read["half"].dtype == torch.bfloat16
    assert read["empty"][0].shape == (0,) and read["empty"][1:] == [[], {}, ()]
    assert isinstance(read["array"], np.ndarray) and read["array"].tolist() == [0, 1, 2]
    assert read["number"] == 0.1
    assert np.isnan(read["odd"][0]) and read["odd"][1] == float("inf")
    assert pickle_inside(path) is None


@pytest.mark.parametrize("value", [object(), {1, 2}, lambda: 0, np.array([None], dtype=object)])
def test_objects_are_refused(value: Any, tmp_path: Path) -> None:
    with pytest.raises((FormatError, TypeError)):
        write_state(tmp_path / "s.safetensors", {"a": [value]})
    assert list(tmp_path.iterdir()) == []


def test_damage_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "s.safetensors"
    write_state(path, {"a": torch.zeros(100)})
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + b"x")
    with pytest.raises(FormatError, match="not what its manifest says"):
        read_state(path)
    path.write_bytes(whole)
    manifest_path(path).unlink()
    with pytest.raises(FormatError, match="no manifest"):
        read_state(path)


def test_the_last_two_are_kept_and_the_newest_whole_one_counts(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "a" / ".toy.work-1")
    assert checkpoints.newest() is None
    for step in (10, 20, 9):
        checkpoints.write(step, {"step": step})
    for step in (20, 30, 1000000000):
        checkpoints.write(step, {"step": step})
    assert checkpoints.steps() == [30, 1000000000]
    checkpoints.path(1000000000).write_bytes(b"torn")
    step, state = checkpoints.newest()
    assert (step, state) == (30, {"step": 30})
    assert checkpoints.steps() == [30]
    report = verify_tree(tmp_path / "a")
    assert report.ok and [finding.kind for finding in report.findings] == ["leftover"]


def test_random_states_come_back(tmp_path: Path) -> None:
    def draw() -> list[float]:
        return [random.random(), np.random.random(), np.random.normal(), torch.rand(1).item()]  # noqa: NPY002

    with seeded(1, "test"):
        first = draw()
        write_state(tmp_path / "s.safetensors", random_states())
        expected = draw()
        set_random_states(read_state(tmp_path / "s.safetensors"))
        assert draw() == expected != first
    before = random_states()
    with seeded(1, "test"):
        assert draw() == first
    assert random.getstate() == before["python"]
    assert torch.equal(torch.get_rng_state(), before["torch"])
