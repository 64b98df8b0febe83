"""MoLDS on neural sessions: what is planned, what runs again, and one small run."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from spikeline.artifacts import verify_tree
from tests.workflow.running import BALL_AND_STICK, ROOT, plan, snakemake

pytestmark = pytest.mark.workflow

SMALL = """
molds:
  neural:
    sessions:
      simulated: {window_ms: [-200.0, 400.0], delays_ms: [40.0], components: [1, 3], states: [1], horizons: [1, 4]}
    fit: {em: {most_iterations: 10}}
    fits_per_job: 1
    random_starts: 1
    switching: {iterations: 2}
    subsets: 2
    shuffles: 20
"""
FIGURES = {f"molds_{name}": 1 for name in ("selection", "clusters", "prediction", "stability")}
JOBS = {"neural_trajectories": 1, "neural_sizes": 2, "neural_comparison": 1, "neural_stability": 1, **FIGURES}
TARGET = ("--", "molds_sessions")


def configured(folder: Path, before: str = "", after: str = "") -> Path:
    """The ball-and-stick configuration with a simulated session, and one edit."""
    assert SMALL.count(before) == 1 or not before
    path = folder / "sessions.yaml"
    path.write_text(BALL_AND_STICK.read_text() + SMALL.replace(before, after))
    return path


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the session alone; not to be changed."""
    folder = tmp_path_factory.mktemp("sessions")
    snakemake(folder, "--cores", "2", *TARGET, configuration=configured(folder))
    return folder


@pytest.fixture
def copied(finished: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    return folder


def test_a_session_is_made_once(finished: Path) -> None:
    assert plan(finished, *TARGET, configuration=finished / "sessions.yaml") == {}
    assert verify_tree(finished / "results/ball_and_stick").ok


@pytest.mark.parametrize(
    ("before", "after", "jobs"),
    [
        (
            "components: [1, 3]",
            "components: [1, 2, 3]",
            {"neural_sizes": 2, "neural_comparison": 1, "neural_stability": 1},
        ),
        ("horizons: [1, 4]", "horizons: [1, 3]", {"neural_comparison": 1, "neural_stability": 1}),
        ("subsets: 2", "subsets: 3", {"neural_stability": 1}),
        ("delays_ms: [40.0]", "delays_ms: [20.0]", {**JOBS}),
    ],
    ids=["another size", "horizon", "subsets", "delay"],
)
def test_editing_one_key_reruns_what_reads_it(copied: Path, before: str, after: str, jobs: dict[str, int]) -> None:
    planned = plan(copied, *TARGET, configuration=configured(copied, before, after))
    made = {rule: count for rule, count in planned.items() if rule.startswith("neural_")}
    assert made == {rule: count for rule, count in jobs.items() if rule.startswith("neural_")}
    drawn = {rule for rule in planned if rule.startswith("molds_") and rule != "molds_sessions"}
    assert drawn == ({"molds_stability"} if before.startswith("subsets") else set(FIGURES))


def test_deleting_a_figure_draws_it_again(copied: Path) -> None:
    (copied / "results/ball_and_stick/figures/molds_clusters/simulated.png").unlink()
    assert plan(copied, *TARGET, configuration=configured(copied)) == {"molds_clusters": 1, "molds_sessions": 1}


def test_a_run_without_sessions_has_none_of_this(tmp_path: Path) -> None:
    assert not any(rule.startswith(("neural_", "molds_")) for rule in plan(tmp_path))


@pytest.mark.parametrize("tier", ["quick", "standard", "paper"])
def test_sessions_of_data_sets_join_with_their_files(tier: str, tmp_path: Path) -> None:
    configuration = ROOT / f"config/{tier}.yaml"
    without = plan(tmp_path, *TARGET, configuration=configuration)
    assert {rule: without[rule] for rule in ("neural_trajectories", *FIGURES)} == {"neural_trajectories": 1, **FIGURES}
    file = tmp_path / "data/decoding/chewie1_bin100ms_full.npz"
    file.parent.mkdir(parents=True)
    file.touch()
    options = ("--dry-run", "--config", f"data_root={tmp_path / 'data'}", "sorting={real_recordings: []}")
    output = snakemake(tmp_path, *options, *TARGET, configuration=configuration)
    assert "molds_clusters/chewie_2013_10_03.png" in output
    assert ("left out of molds.neural.sessions" in output) == (tier == "standard")


def test_a_session_that_is_not_there_is_named(tmp_path: Path) -> None:
    wrong = configured(tmp_path, "simulated: {window_ms", "simulated: {dataset: chewie_2013_10_04, window_ms")
    output = snakemake(tmp_path, "--dry-run", configuration=wrong, succeeds=False)
    assert "there is no data set 'chewie_2013_10_04'" in output
    picture = "results/ball_and_stick/figures/molds_clusters/other.png"
    output = snakemake(tmp_path, "--dry-run", "--", picture, configuration=configured(tmp_path), succeeds=False)
    assert "no session 'other' in this run" in output


def test_a_file_of_another_checksum_is_named(tmp_path: Path) -> None:
    file = tmp_path / "data/decoding/chewie1_bin100ms_full.npz"
    file.parent.mkdir(parents=True)
    np.savez(file, nothing=np.zeros(1))
    text = BALL_AND_STICK.read_text() + SMALL.replace(
        "simulated: {", "chewie: {dataset: chewie_2013_10_03, align: null, "
    )
    (tmp_path / "counts.yaml").write_text(text)
    options = ("--cores", "1", "--config", f"data_root={tmp_path / 'data'}")
    snakemake(tmp_path, *options, *TARGET, configuration=tmp_path / "counts.yaml", succeeds=False)
    log = (tmp_path / "results/ball_and_stick/logs/molds_neural/chewie/trajectories.log").read_text()
    assert "has SHA-256" in log and "fetch it again" in log
