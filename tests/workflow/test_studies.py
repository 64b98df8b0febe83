"""The studies of SimSort's training: what they plan, and what an edit trains, scores and draws again."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from spikeline.artifacts import verify_tree
from tests.sorting.simsort.handmade_networks import write_handmade_networks
from tests.workflow.running import BALL_AND_STICK, ROOT, copied_workflow, plan, snakemake

pytestmark = pytest.mark.workflow

TARGET = ("--", "simsort_studies")
FIGURES = ("training_data", "held_out_classes", "ablations", "fine_tuning")
SETTINGS = """
simsort:
  detector:
    scenes: {duration_s: 2.0, units: [2, 3], distance_um: [10.0, 30.0]}
    network: {width: 8}
    batches: {windows: 4, samples: 256}
    training: {steps: 6, warm_up_steps: 1}
  identifier:
    scenes: {duration_s: 2.0, units: [2, 3], distance_um: [10.0, 30.0], rate_hz: [10.0, 30.0]}
    network: {dimensions: 4, width: 8, layers: 1}
    batches: {scenes_per_batch: 2, spikes_per_unit: 16}
    training: {steps: 5, warm_up_steps: 1}
    settling_batches: 2

simsort_studies:
  architecture:
    figure: ablations
    variants:
      as_configured: {}
      narrow: {training: {detector: {network: {width: 6}}}}
  heard:
    figure: training_data
    variants:
      few: {scenes: 2}
      as_configured: {}

simsort_tuning:
  labelled_s: [0, 8]
  start: trained
  detector: {steps: 4, warm_up_steps: 1}
  identifier: {steps: 4, warm_up_steps: 1}

sorting:
  sorters:
    simsort: {sorter: simsort, parameters: {weights: mine}}
"""
SCORED = {"study_scores": 1, "study_table": 1}


def configuration(folder: Path, before: str = "", after: str = "") -> Path:
    """The ball-and-stick configuration with studies, maybe with one key changed."""
    text = BALL_AND_STICK.read_text().replace("\nsorting:\n  sorters:\n", SETTINGS)
    text = text.replace("    simple: {sorter: simple}\n", "")
    assert text.count(before) == 1 or not before
    path = folder / "studies.yaml"
    path.write_text(text.replace(before, after) if before else text)
    return path


@pytest.fixture(scope="module")
def studied_run(finished_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The finished run with studies added; not to be changed."""
    folder = tmp_path_factory.mktemp("studies") / "run"
    shutil.copytree(finished_run, folder)
    write_handmade_networks(folder / "mine")
    settings = configuration(folder)
    assert plan(folder, *TARGET, configuration=settings) == {
        "config": 1, "simsort_detector": 1, "simsort_identifier": 1,
        "study_training": 3, "study_scores": 3, "study_table": 2, "clustering_table": 1,
        "tuning": 1, "tuning_scores": 2, "tuning_table": 1,
        "ablations": 1, "training_data": 1, "fine_tuning": 1, "simsort_studies": 1,
    }  # fmt: skip
    snakemake(folder, "--cores", "2", *TARGET, configuration=settings)
    return folder


@pytest.fixture
def copied_studied_run(studied_run: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    folder = tmp_path / "run"
    shutil.copytree(studied_run, folder)
    return folder


@pytest.mark.neuron
def test_a_studied_run_is_whole_and_has_nothing_to_do(studied_run: Path) -> None:
    assert plan(studied_run, *TARGET, configuration=configuration(studied_run)) == {}
    results = studied_run / "results/ball_and_stick"
    assert verify_tree(results).ok
    table = pd.read_csv(results / "tables/simsort_studies/heard.csv")
    few, every = (table[table["variant"] == name] for name in ("few", "as_configured"))
    assert few["minutes"].to_numpy() == pytest.approx(2 * 2 * 2 / 60) and every["minutes"].min() > few["minutes"].max()
    assert set(table["neurons"]) == {1} and set(table["recording"]) == {"tetrode"}
    tuned = pd.read_csv(results / "tables/simsort_tuning.csv")
    assert set(tuned["labelled_s"]) == {0.0, 8.0}
    assert tuned.groupby("labelled_s")["n_true"].sum().nunique() == 1  # scored on the same rest


@pytest.mark.neuron
@pytest.mark.parametrize(
    ("before", "after", "jobs"),
    [
        ("{width: 6}", "{width: 5}", {"study_training": 1, **SCORED, "ablations": 1}),
        ("{scenes: 2}", "{scenes: 3}", {"study_training": 2, **SCORED, "training_data": 1}),
        (
            "      narrow:",
            "      wide: {training: {detector: {network: {width: 9}}}}\n      narrow:",
            {"study_training": 1, **SCORED, "ablations": 1},
        ),
        (
            "[0, 8]",
            "[0, 8, 9]",
            {"tuning": 1, "tuning_scores": 3, "tuning_table": 1, "fine_tuning": 1},
        ),
        (
            "  identifier: {steps: 4,",
            "  identifier: {steps: 3,",
            {"tuning": 1, "tuning_scores": 1, "tuning_table": 1, "fine_tuning": 1},
        ),
    ],
    ids=["a network", "an amount", "a new variant", "a longer stretch", "the tuning"],
)
def test_an_edit_makes_again_what_reads_it(
    copied_studied_run: Path, before: str, after: str, jobs: dict[str, int]
) -> None:
    settings = configuration(copied_studied_run, before, after)
    assert plan(copied_studied_run, *TARGET, configuration=settings) == {"config": 1, **jobs, "simsort_studies": 1}


@pytest.mark.neuron
def test_deleted_weights_are_trained_again_and_a_deleted_figure_is_drawn(copied_studied_run: Path) -> None:
    settings = configuration(copied_studied_run)
    results = copied_studied_run / "results/ball_and_stick"
    (results / "figures/training_data.png").unlink()
    assert plan(copied_studied_run, *TARGET, configuration=settings) == {"training_data": 1, "simsort_studies": 1}
    (results / "sorting/simsort/studies/architecture/narrow/0/detector.safetensors").unlink()
    trained = {"study_training": 1, **SCORED, "ablations": 1, "training_data": 1, "simsort_studies": 1}
    assert plan(copied_studied_run, *TARGET, configuration=settings) == trained


@pytest.mark.neuron
def test_a_raised_version_of_simsort_scores_again_all_that_sort_with_it(studied_run: Path, tmp_path: Path) -> None:
    workflow, settings = copied_workflow(tmp_path / "workflow"), configuration(tmp_path)
    assert plan(studied_run, *TARGET, configuration=settings, workflow=workflow) == {}
    common = workflow / "rules/common.smk"
    before, _, after = common.read_text().partition('SORTER_VERSIONS = {"simsort": ')
    assert after
    common.write_text(f'{before}SORTER_VERSIONS = {{"simsort": 1{after}')
    assert plan(studied_run, *TARGET, configuration=settings, workflow=workflow) == {
        "study_scores": 3, "study_table": 2, "tuning_scores": 2, "tuning_table": 1,
        "ablations": 1, "training_data": 1, "fine_tuning": 1, "simsort_studies": 1,
    }  # fmt: skip


def test_a_plain_run_makes_none_of_it(tmp_path: Path) -> None:
    jobs = plan(tmp_path, configuration=configuration(tmp_path))
    assert not [rule for rule in jobs if rule.startswith(("study", "tuning", "clustering", *FIGURES))]


@pytest.mark.parametrize("tier", ["quick", "standard"])
def test_the_tiers_have_a_study_for_every_figure(tier: str, tmp_path: Path) -> None:
    jobs = plan(tmp_path, *TARGET, configuration=ROOT / f"config/{tier}.yaml")
    assert {figure: 1 for figure in FIGURES}.items() <= jobs.items()
    # each is a target of its own
    asked = plan(tmp_path, "--", *FIGURES, configuration=ROOT / f"config/{tier}.yaml")
    assert {figure: 1 for figure in FIGURES}.items() <= asked.items() and "simsort_studies" not in asked


def test_without_studies_an_error_says_what_is_missing(tmp_path: Path) -> None:
    for target, words in (
        ("simsort_studies", "simsort_studies and simsort_tuning.labelled_s are empty"),
        ("ablations", "none under simsort_studies has figure: ablations"),
        ("fine_tuning", "simsort_tuning.labelled_s is empty"),
    ):
        output = snakemake(tmp_path, "--dry-run", "--", target, succeeds=False)
        assert words in output and "what to do" in output


def test_a_mistake_in_a_study_is_named_before_anything_runs(tmp_path: Path) -> None:
    wrong = configuration(tmp_path, "{detector: {network: {width: 6}}}", "{detector: {netwrk: {width: 6}}}")
    output = snakemake(tmp_path, "--dry-run", *TARGET, configuration=wrong, succeeds=False)
    assert "simsort_studies.architecture.variants.narrow.training.detector.netwrk" in output
    assert "nearest key is network" in output
    wrong = configuration(tmp_path, "[0, 8]", "[0, 18]")
    output = snakemake(tmp_path, "--dry-run", *TARGET, configuration=wrong, succeeds=False)
    assert "leaves 2 s of recordings.tetrode" in output


def test_a_gpu_is_asked_for_where_a_variant_insists(tmp_path: Path) -> None:
    settings = configuration(tmp_path, "{network: {width: 6}}", "{training: {accelerator: gpu}}")
    output = snakemake(tmp_path, "--dry-run", *TARGET, configuration=settings)
    jobs = re.findall(r"^rule study_training:\n((?:    .+\n)+)", output, re.MULTILINE)
    assert sorted(re.search(r"gpu=(\d)", job)[1] for job in jobs) == ["0", "0", "1"]
