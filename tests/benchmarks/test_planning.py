"""Reading a dry run."""

from __future__ import annotations

import sys

import pytest

from spikeline.artifacts import read_json
from spikeline.errors import DataError, FormatError
from spikeline.simulation.benchmarks.planning import declared_resources, planned_jobs, write_plan_seconds

OUTPUT = """Job stats:
job           count
----------  -------
all               1
currents          2
total             3

[Fri Nov 20 11:08:04 2026]
rule currents:
    output: results/paper/simulation/currents/a/v000-0.h5
    resources: tmpdir=/tmp, runtime=40, mem_mb=2000, mem=2 GB, mem_mib=1908
[Fri Nov 20 11:08:04 2026]
rule currents:
    output: results/paper/simulation/currents/a/v000-1.h5
    resources: tmpdir=/tmp, runtime=10, mem_mb={memory}
[Fri Nov 20 11:08:04 2026]
localrule all:
    input: results/paper/simulation/currents/a/v000-0.h5
"""


def dry_run(tmp_path, output):
    (tmp_path / "output.txt").write_text(output)
    return [sys.executable, "-c", f"print(open({str(tmp_path / 'output.txt')!r}).read())"]


def test_jobs_are_listed_with_their_resources():
    jobs = list(declared_resources(OUTPUT.format(memory=500)))
    assert jobs == [
        ("currents", {"runtime": 40.0, "mem_mb": 2000.0}),
        ("currents", {"runtime": 10.0, "mem_mb": 500.0}),
        ("all", {}),
    ]
    assert planned_jobs(OUTPUT) == 3


def test_a_plan_is_timed_and_checked(tmp_path):
    command = dry_run(tmp_path, OUTPUT.format(memory=500))
    write_plan_seconds(tmp_path / "plan.json", command, shards=2, repetitions=1)
    document = read_json(tmp_path / "plan.json")
    assert 0 < document["headline"]["benchmark.workflow.plan_seconds_10k"] < 60
    assert document["cases"]["paper"]["smallest_job_of_rule"] == {"currents": {"mem_mb": 500.0, "runtime": 10.0}}
    assert document["cases"]["paper"]["rules_not_submitted"] == ["all"]


def test_a_job_below_the_floor_is_refused(tmp_path):
    with pytest.raises(DataError, match="499"):
        write_plan_seconds(tmp_path / "plan.json", dry_run(tmp_path, OUTPUT.format(memory=499)), shards=2)


def test_a_plan_too_small_is_refused(tmp_path):
    with pytest.raises(DataError, match="a plan of 3 jobs"):
        write_plan_seconds(tmp_path / "plan.json", dry_run(tmp_path, OUTPUT.format(memory=500)), shards=10)


def test_a_failed_dry_run_is_refused(tmp_path):
    with pytest.raises(DataError, match="the dry run failed"):
        write_plan_seconds(tmp_path / "plan.json", [sys.executable, "-c", "raise SystemExit('bad key')"], shards=1)


def test_other_output_is_refused():
    with pytest.raises(FormatError, match="without a table"):
        planned_jobs("Nothing to be done")
