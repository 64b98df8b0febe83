"""The real Snakefile on SLURM: from cells to a recording with known spikes, the shards as job arrays."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.slurm.cluster import ROOT

pytestmark = pytest.mark.slurm

CONFIGURATION = ROOT / "tests/configurations/ball_and_stick.yaml"
TARGET = "results/ball_and_stick/recordings/tetrode.manifest.json"


def test_simulation_end_to_end_with_arrays_then_nothing_to_do(launch):
    arguments = ("--configfile", str(CONFIGURATION), "--", TARGET)
    run = launch(*arguments, snakefile=ROOT / "Snakefile")
    run.succeed(240)
    jobs = run.jobs()
    assert {job.state for job in jobs} == {"COMPLETED"}
    # squeue's comment of an array task names the rule and the first task's wildcards.
    rules = Counter(job.comment.removeprefix("rule_").split("_wildcards_")[0] for job in jobs)
    assert rules == {"mechanisms": 1, "rheobase": 3, "currents": 3, "recording": 1}
    assert min(job.memory_mb for job in jobs) >= 500
    arrays = Counter(job.array for job in jobs if job.array is not None)
    assert arrays and max(arrays.values()) >= 2
    assert (run.directory / TARGET).is_file()

    again = launch(*arguments, snakefile=ROOT / "Snakefile")
    assert "Nothing to be done" in again.succeed(60)
    assert again.jobs() == []
