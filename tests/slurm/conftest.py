"""Every test in this folder but the profile checks needs the one-node cluster."""

from __future__ import annotations

import os

import pytest

from tests.slurm import cluster


@pytest.fixture(scope="session")
def slurm() -> None:
    """Skip, or with SPIKELINE_REQUIRE_SLURM=1 fail, where no SLURM takes jobs."""
    problem = cluster.problem()
    if problem is None:
        return
    if os.environ.get("SPIKELINE_REQUIRE_SLURM") == "1":
        pytest.fail(f"SPIKELINE_REQUIRE_SLURM=1, but {problem}")
    pytest.skip(problem)


@pytest.fixture
def launch(slurm, tmp_path):
    """Start Snakemake on the cluster; whatever still runs when the test ends is stopped and cancelled."""
    runs: list[cluster.Run] = []

    def start(*arguments: str, **options) -> cluster.Run:
        runs.append(cluster.Run(tmp_path, len(runs), *arguments, **options))
        return runs[-1]

    yield start
    for run in runs:
        run.clean_up()
