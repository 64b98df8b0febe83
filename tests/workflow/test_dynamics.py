"""MoLDS' experiments: what they plan, and what a change makes again."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from spikeline.artifacts import verify_tree
from tests.workflow.running import BALL_AND_STICK, plan, planned, snakemake

pytestmark = pytest.mark.workflow

TARGET = ("--", "molds")
SETTINGS = """
molds:
  experiments:
    two:
      figure: molds_complex
      mixture: {n_components: 2, n_states: 1}
      trajectories: [40]
      steps: [24]
      seeds: 2
      held_out: 10
      methods: [tensor, tensor_em]
      fit: {em: {most_iterations: 5, engine: numpy}}
      trajectories_per_piece: 25
"""
FROM_SCORES_ON = {"molds_scores": 1, "molds_table": 1, "molds_complex": 1, "molds": 1}
FROM_STARTS_ON = {"molds_starts": 1, "molds_em": 1, **FROM_SCORES_ON}
FROM_WHITENING_ON = {"molds_whitening": 1, "molds_third_moments": 2, "molds_components": 1, **FROM_STARTS_ON}
ALL = {"config": 1, "molds_data": 1, "molds_second_moments": 2, **FROM_WHITENING_ON}


def configuration(folder: Path, before: str = "", after: str = "") -> Path:
    """The ball-and-stick configuration with an experiment, maybe with one key changed."""
    text = BALL_AND_STICK.read_text() + SETTINGS
    assert text.count(before) == 1 or not before
    path = folder / "molds.yaml"
    path.write_text(text.replace(before, after) if before else text)
    return path


@pytest.fixture(scope="module")
def made_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the experiment, two jobs at a time: one per step and piece; not to be changed."""
    folder = tmp_path_factory.mktemp("molds")
    output = snakemake(folder, "--cores", "2", *TARGET, configuration=configuration(folder))
    assert planned(output) == ALL
    return folder


@pytest.fixture
def copied(made_run: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    shutil.copytree(made_run, tmp_path / "run")
    return tmp_path / "run"


def test_the_run_is_whole_and_has_nothing_to_do(made_run: Path) -> None:
    results = made_run / "results/ball_and_stick"
    assert verify_tree(results).ok
    table = pd.read_csv(results / "tables/molds/two.csv")
    assert table["method"].tolist() == ["tensor", "tensor_em"] * 2 and table["ari"].notna().all()
    assert plan(made_run, *TARGET, configuration=configuration(made_run)) == {}


def test_a_deleted_shard_is_made_again_with_what_depends_on_it(copied: Path) -> None:
    batch = copied / "results/ball_and_stick/molds/two/b0000"
    (batch / "em/tensor.h5").unlink()
    settings = configuration(copied)
    assert plan(copied, *TARGET, configuration=settings) == {"molds_em": 1, **FROM_SCORES_ON}
    (batch / "second/1.h5").unlink()
    assert plan(copied, *TARGET, configuration=settings) == {"molds_second_moments": 1, **FROM_WHITENING_ON}


@pytest.mark.parametrize(
    ("before", "after", "jobs"),
    [
        ("most_iterations: 5", "most_iterations: 6", {"molds_em": 1, **FROM_SCORES_ON}),
        ("fit: {em:", "fit: {moments: {lags: 5}, em:", {"molds_second_moments": 2, **FROM_WHITENING_ON}),
        ("      seeds: 2", "      seeds: 3\n      tasks_per_job: 2", ALL),
    ],
    ids=["iterations", "lags", "a seed more"],
)
def test_an_edit_makes_again_what_reads_it(copied: Path, before: str, after: str, jobs: dict[str, int]) -> None:
    settings = configuration(copied, before, after)
    assert plan(copied, *TARGET, configuration=settings) == {"config": 1, **jobs}


def test_one_job_at_a_time_and_other_batches_give_the_same_tables_and_figures(made_run: Path, tmp_path: Path) -> None:
    settings = configuration(tmp_path, "      trajectories_per_piece: 25", "      tasks_per_job: 1")
    snakemake(tmp_path, "--cores", "1", *TARGET, configuration=settings)
    results = (folder / "results/ball_and_stick" for folder in (made_run, tmp_path))
    one, other = ({p.name: p.read_bytes() for p in folder.glob("figures/*.[pc]??")} for folder in results)
    assert len(one) == 3 and one == other


def test_a_plain_run_makes_them_and_a_run_without_experiments_none(tmp_path: Path) -> None:
    jobs = plan(tmp_path, configuration=configuration(tmp_path))
    assert {rule: jobs[rule] for rule in ALL if rule != "molds"} == {k: n for k, n in ALL.items() if k != "molds"}
    assert jobs["molds_headlines"] == jobs["summary"] == 1
    assert not [rule for rule in plan(tmp_path) if rule.startswith("molds")]


def test_without_experiments_an_error_says_what_is_missing(tmp_path: Path) -> None:
    for target, words in (
        ("molds", "molds.experiments and molds.neural.sessions are empty"),
        ("molds_smd_rtpm", "none under molds.experiments has figure: molds_smd_rtpm"),
    ):
        output = snakemake(tmp_path, "--dry-run", "--", target, succeeds=False)
        assert words in output and "what to do" in output
