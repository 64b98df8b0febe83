"""What each configuration plans: every tier, job by job."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.workflow.running import BALL_AND_STICK, ROOT, plan, snakemake

pytestmark = pytest.mark.workflow

BALL_AND_STICK_JOBS = {
    "all": 1,
    "config": 1,
    "mechanisms": 1,
    "rheobase": 3,
    "currents": 3,
    "placement_check": 1,
    "recording": 1,
    "sort": 1,
    "score": 1,
    "scores": 1,
    "bank_tables": 1,
    "excerpt_tables": 1,
    "cells": 1,
    "traces": 1,
    "bank_rank": 1,
    "recording_excerpt": 1,
    "accuracy": 1,
    "summary": 1,
}


def test_full_plan_of_the_small_configuration(tmp_path: Path) -> None:
    assert plan(tmp_path) == BALL_AND_STICK_JOBS


@pytest.mark.parametrize(("tier", "entries"), [("quick", 13), ("standard", 13 * 4), ("paper", 13 * 100 * 8)])
def test_every_tier_plans(tier: str, entries: int, tmp_path: Path) -> None:
    jobs = plan(tmp_path, configuration=ROOT / "config" / f"{tier}.yaml")
    assert jobs["currents"] == entries
    assert jobs["all"] == jobs["molds_smd_rtpm"] == jobs["molds_complex"] == jobs["molds_sample_size"] == 1


def test_peers_join_any_tier_in_an_environment_of_their_own(tmp_path: Path) -> None:
    both = ("--configfile", str(ROOT / "config/quick.yaml"), str(ROOT / "config/peers.yaml"), "--", "sortings")
    without, jobs = plan(tmp_path, "--", "sortings", configuration=ROOT / "config/quick.yaml"), plan(tmp_path, *both)
    added = {rule: count - without.get(rule, 0) for rule, count in jobs.items() if count != without.get(rule)}
    assert added == {"sorting_peers": 1, "sort": 2 * without["recording"]}


def test_sortings_ask_for_more_where_there_is_more_to_sort(tmp_path: Path) -> None:
    both = ("--configfile", str(ROOT / "config/paper.yaml"), str(ROOT / "config/peers.yaml"), "--", "sortings")
    output = snakemake(tmp_path, "--dry-run", *both)
    asked = {
        (recording, sorter): (int(memory), int(runtime))
        for recording, sorter, runtime, memory in re.findall(
            r"^rule sort:\n(?:    .+\n)*?    wildcards: recording=(\w+), sorter=(\w+)\n"
            r"    resources: .*?runtime=(\d+), mem_mb=(\d+)",
            output,
            re.MULTILINE,
        )
    }
    assert asked["neuropixels_static", "simsort"] == (4000 + 27648, 30 + 576)
    assert asked["neuropixels_static", "kilosort4"] == (4000 + 27648, 30 + 4 * 576)
    memory, runtime = asked["tetrode_static", "simsort"]
    assert memory < 4200 and runtime < 45


def test_the_weights_are_one_target_that_needs_the_training_side_alone(tmp_path: Path) -> None:
    jobs = plan(tmp_path, "--", "simsort_weights", configuration=ROOT / "config/quick.yaml")
    assert jobs == {
        "config": 1,
        "mechanisms": 1,
        "rheobase": 7,
        "currents": 7,
        "simsort_detector": 1,
        "simsort_identifier": 1,
        "simsort_weights": 1,
    }


def test_a_training_takes_no_more_of_the_bank_than_it_is_told(tmp_path: Path) -> None:
    text = (ROOT / "config/quick.yaml").read_text()
    (tmp_path / "few.yaml").write_text(text.replace("\nsimsort:\n", "\nsimsort:\n  entries: 3\n"))
    assert plan(tmp_path, "--", "simsort_weights", configuration=tmp_path / "few.yaml")["currents"] == 3


def test_a_training_without_cells_is_refused(tmp_path: Path) -> None:
    text = BALL_AND_STICK.read_text().replace("train: [ball_and_stick_1]", "train: []")
    (tmp_path / "none.yaml").write_text(text)
    wrong = tmp_path / "none.yaml"
    output = snakemake(tmp_path, "--dry-run", "--", "simsort_weights", configuration=wrong, succeeds=False)
    assert "simulation.cells.train is empty" in output
    assert "currents" in plan(tmp_path, configuration=wrong)  # without SimSort such a run is as good as any


@pytest.mark.parametrize(("network", "block"), [("identifier", "training"), ("detector", "scenes")])
def test_a_gpu_is_asked_for_where_the_settings_insist(network: str, block: str, tmp_path: Path) -> None:
    arguments = ["--config", f"simsort={{{network}: {{{block}: {{accelerator: gpu}}}}}}", "--", "simsort_weights"]
    output = snakemake(tmp_path, "--dry-run", *arguments)
    text = {name: part for name, part in re.findall(r"^rule (\w+):\n((?:    .+\n)+)", output, re.MULTILINE)}
    for other in ("identifier", "detector"):  # auto asks for none
        assert f"gpu={int(other == network)}" in text[f"simsort_{other}"]


def test_every_submitted_job_declares_memory_and_minutes(tmp_path: Path) -> None:
    output = snakemake(tmp_path, "--dry-run")
    jobs = re.findall(r"^rule (\w+):\n((?:    .+\n)+)", output, re.MULTILINE)
    local = {"all", "config", "figures", "scores"}
    submitted = [(name, text) for name, text in jobs if name not in local]
    assert len(submitted) == sum(n for rule, n in BALL_AND_STICK_JOBS.items() if rule not in local)
    for name, text in submitted:
        memory, runtime = re.search(r"mem_mb=(\d+)", text), re.search(r"runtime=(\d+)", text)
        assert memory and int(memory[1]) >= 500, f"rule {name}: {text}"
        assert runtime and int(runtime[1]) >= 5, f"rule {name}: {text}"


@pytest.fixture
def data_root(tmp_path: Path) -> Path:
    """A folder with something at the place of the locust recording: a plan looks no further."""
    file = tmp_path / "data/sorting/locust_trial_01.npz"
    file.parent.mkdir(parents=True)
    file.touch()
    return tmp_path / "data"


def test_real_recordings_join_the_plan_with_data_root(data_root: Path, tmp_path: Path) -> None:
    quick = ROOT / "config/quick.yaml"
    without = plan(tmp_path, configuration=quick)
    with_data = plan(tmp_path, "--config", f"data_root={data_root}", configuration=quick)
    added = {rule: count - without.get(rule, 0) for rule, count in with_data.items() if count != without.get(rule)}
    assert added == {"sort_real": 6, "real_tables": 1, "real_recording": 1}


def test_real_recordings_with_known_spikes_are_scored(data_root: Path, tmp_path: Path) -> None:
    (data_root / "sorting/C_Easy1_noise01_short.npz").touch()
    text = (ROOT / "config/quick.yaml").read_text()
    both = text.replace("[locust_trial_01]", "[locust_trial_01, quiroga_easy1_noise01_short]")
    (tmp_path / "both.yaml").write_text(both)
    arguments = ("--config", f"data_root={data_root}", "--", "real_scores")
    jobs = plan(tmp_path, *arguments, configuration=tmp_path / "both.yaml")
    # one of the sorters waits for the run's own weights, and they for the training side of the bank
    training = {"mechanisms": 1, "rheobase": 7, "currents": 7, "simsort_detector": 1, "simsort_identifier": 1}
    assert jobs == {"config": 1, **training, "sort_real": 6, "score_real": 1, "real_scores": 1}
    # A plain run scores them too, though no figure of a run without SimSort is drawn from their scores.
    text = BALL_AND_STICK.read_text().replace(
        "  sorters:", "  real_recordings: [quiroga_easy1_noise01_short]\n  sorters:"
    )
    (tmp_path / "plain.yaml").write_text(text)
    assert "score_real" not in plan(tmp_path, configuration=tmp_path / "plain.yaml")
    assert plan(tmp_path, *arguments[:2], configuration=tmp_path / "plain.yaml")["score_real"] == 1
    output = snakemake(tmp_path, "--dry-run", *arguments, configuration=ROOT / "config/quick.yaml", succeeds=False)
    assert "no real recording to score" in output and "docs/datasets.md" in output


def test_an_unknown_key_is_refused_with_the_right_one(tmp_path: Path) -> None:
    output = snakemake(tmp_path, "--dry-run", "--config", "sede=3", succeeds=False)
    assert "sede" in output and "seed" in output
    assert "Traceback" not in output


def test_more_units_than_entries_is_refused_with_the_key_to_change(tmp_path: Path) -> None:
    text = (ROOT / "tests/configurations/ball_and_stick.yaml").read_text().replace("units: 2", "units: 9")
    (tmp_path / "many.yaml").write_text(text)
    output = snakemake(tmp_path, "--dry-run", configuration=tmp_path / "many.yaml", succeeds=False)
    assert "recordings.tetrode.units = 9" in output and "simulation.bank.seeds" in output


@pytest.mark.parametrize("target", re.findall(r"`snakemake (\w+)`", (ROOT / "README.md").read_text()))
def test_every_target_of_the_readme_plans(target: str, data_root: Path, tmp_path: Path) -> None:
    jobs = plan(tmp_path, "--config", f"data_root={data_root}", "--", target, configuration=ROOT / "config/quick.yaml")
    first = {"real_recordings": "sort_real", "molds": "molds_data"}  # which begin with no cell
    assert jobs[first.get(target, "mechanisms")] >= 1


def test_real_recordings_without_data_root_say_what_is_missing(tmp_path: Path) -> None:
    quick = ROOT / "config/quick.yaml"
    output = snakemake(tmp_path, "--dry-run", "--", "real_recordings", configuration=quick, succeeds=False)
    assert "--config data_root=" in output


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("ball_and_stick_3]", "ball_and_stik_3]", ["ball_and_stik_3", "did you mean"]),
        ("source: ball_and_stick", "source: bbp_folder\n    folder: nowhere", ["nowhere", "one folder per model"]),
        ("drive: events", "drive: events\n    probe: {kind: file, file: nowhere.json}", ["nowhere.json"]),
        ("sorter: simple", "sorter: simpel", ["'simpel'", "did you mean simple"]),
        ("sorter: simple", "sorter: simple, parameters: {treshold: 4}", ["'treshold'", "detect_threshold"]),
    ],
    ids=["cell", "folder", "probe file", "sorter", "sorter parameter"],
)
def test_what_is_not_there_is_named_before_anything_runs(
    before: str, after: str, words: list[str], tmp_path: Path
) -> None:
    text = BALL_AND_STICK.read_text()
    assert text.count(before) == 1
    (tmp_path / "wrong.yaml").write_text(text.replace(before, after))
    output = snakemake(tmp_path, "--dry-run", configuration=tmp_path / "wrong.yaml", succeeds=False)
    assert all(word in output for word in words), output[-3000:]


def test_a_missing_data_set_is_named_before_anything_runs(tmp_path: Path) -> None:
    quick = ROOT / "config/quick.yaml"
    output = snakemake(tmp_path, "--dry-run", "--config", f"data_root={tmp_path}", configuration=quick, succeeds=False)
    assert "locust_trial_01" in output and "does not exist" in output


def test_a_data_set_that_is_no_recording_is_refused_before_anything_runs(tmp_path: Path) -> None:
    text = (
        (ROOT / "config/quick.yaml").read_text().replace("[locust_trial_01]", "[quiroga_difficult2_noise005_snippets]")
    )
    (tmp_path / "wrong.yaml").write_text(text)
    output = snakemake(
        tmp_path,
        "--dry-run",
        "--config",
        f"data_root={tmp_path}",
        configuration=tmp_path / "wrong.yaml",
        succeeds=False,
    )
    assert all(word in output for word in ("quiroga_snippets_npz", "spikeinterface, tetrode_npz", "locust_trial_01"))


def test_lint() -> None:
    assert "in a good condition" in snakemake(ROOT, "--lint")
