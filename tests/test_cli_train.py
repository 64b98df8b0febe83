"""`spikeline train --submit`: what is sent to the queue, and what comes of it there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from spikeline.cli import command_line
from spikeline.config.queue import QueueSettings
from spikeline.sorting.simsort import train as simsort_train
from spikeline.training import launcher

QUICK = Path(__file__).parents[1] / "config/quick.yaml"


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What was to be queued; the trainings themselves only remember what they were called with."""
    calls: list[dict[str, Any]] = []

    def queue(function: Any, arguments: Any, output: Any, queue: Any, **options: Any) -> None:
        calls.append({"function": function, "arguments": arguments, "output": output, "queue": queue, **options})

    monkeypatch.setattr(launcher, "run_in_queue", queue)
    return calls


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, simsort_train.TrainingJob]]:
    calls: list[tuple[Any, simsort_train.TrainingJob]] = []
    monkeypatch.setattr(simsort_train, "train_detector_to_file", lambda settings, job: calls.append((settings, job)))
    return calls


def _train(*arguments: str) -> Any:
    return CliRunner().invoke(command_line, ["train", str(QUICK), "detector", "--bank", "bank", *arguments])


def test_a_job_gets_plain_values_and_does_what_would_be_done_here(
    queued: list[dict[str, Any]], trained: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    here = _train("-o", "my/detector.safetensors", "--threads", "3")
    assert here.exit_code == 0, here.output
    done = _train("-o", "my/detector.safetensors", "--threads", "3", "--submit", "{partition: gpu, gpus: 1}")
    assert done.exit_code == 0, done.output
    [job] = queued
    assert job["queue"] == QueueSettings(partition="gpu", gpus=1)
    assert job["output"] == tmp_path / "my/detector.safetensors"
    monkeypatch.chdir("/")  # a job may start anywhere
    job["function"](**json.loads(json.dumps(job["arguments"])))
    (settings, one), (same, other) = trained
    assert same == settings
    assert [str(tmp_path / file) for file in map(str, one.bank_files)] == [str(file) for file in other.bank_files]
    assert (other.batch_threads, other.seed, other.allowed_cells) == (3, one.seed, one.allowed_cells)
    assert other.validation_cells == one.validation_cells


def test_the_key_follows_what_is_trained_and_not_what_is_asked_of_the_queue(queued: list[dict[str, Any]]) -> None:
    for options in ("{}", "{minutes: 30}"):
        _train("-o", "a.safetensors", "--submit", options)
    _train("-o", "a.safetensors", "--threads", "2", "--submit", "{}")
    keys = [job["key"] for job in queued]
    assert keys[0] == keys[1] != keys[2]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("{partitoin: gpu}", "The nearest key is partition"),
        ("{minutes: soon}", "minutes = 'soon'"),
        ("{gpus: 2}", "gpus = 2"),
        ("gpu", "--submit: "),
        ("{", "--submit is not YAML"),
    ],
)
def test_what_a_queue_cannot_be_asked_for(options: str, message: str, queued: list[dict[str, Any]]) -> None:
    refused = _train("-o", "a.safetensors", "--submit", options)
    assert refused.exit_code == 2
    assert message in refused.output
    assert queued == []
