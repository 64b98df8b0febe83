"""The real Snakefile on SLURM: from cells to a recording with known spikes, the shards as job arrays."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.slurm.cluster import ROOT

pytestmark = pytest.mark.slurm

CONFIGURATION = ROOT / "tests/configurations/ball_and_stick.yaml"
# The recording uses the test cells; the training cell's bank entry is asked for by name.
TARGETS = [
    "results/ball_and_stick/recordings/tetrode.manifest.json",
    "results/ball_and_stick/simulation/currents/ball_and_stick_1/v000-0.h5",
]


def test_simulation_end_to_end_with_arrays_then_nothing_to_do(launch):
    arguments = ("--configfile", str(CONFIGURATION), "--", *TARGETS)
    run = launch(*arguments, snakefile=ROOT / "Snakefile")
    run.succeed(240)
    jobs = run.jobs()
    assert {job.state for job in jobs} == {"COMPLETED"}
    # squeue's comment of an array task names the rule and the first task's wildcards.
    rules = Counter(job.comment.removeprefix("rule_").split("_wildcards_")[0] for job in jobs)
    assert rules == {"mechanisms": 1, "rheobase": 3, "currents": 3, "recording": 1}
    assert min(job.memory_mb for job in jobs) >= 500
    # All rheobase jobs become ready together, so they are one array; `currents` follow as their rheobases end.
    rheobase_arrays = {job.array for job in jobs if job.comment.startswith("rule_rheobase")}
    assert len(rheobase_arrays) == 1 and None not in rheobase_arrays
    assert all((run.directory / target).is_file() for target in TARGETS)

    again = launch(*arguments, snakefile=ROOT / "Snakefile")
    assert "Nothing to be done" in again.succeed(60)
    assert again.jobs() == []
