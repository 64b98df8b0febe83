"""A run that trains SimSort and sorts with its own weights: what an edit trains, and sorts, again."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from spikeline.artifacts import verify_tree
from tests.sorting.simsort.handmade_networks import write_handmade_networks
from tests.workflow.running import BALL_AND_STICK, copied_workflow, plan, snakemake

pytestmark = [pytest.mark.workflow, pytest.mark.neuron]

SIMSORT = """
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

sorting:
  sorters:
    simsort_small: {sorter: simsort, parameters: {weights: trained}}
    simsort_mine: {sorter: simsort, parameters: {weights: mine}}
"""
SCORED = {"score": 1, "scores": 1, "accuracy": 1, "sorting_table": 1, "summary": 1, "all": 1}
NETWORKS_SEEN = {
    "detection_tables": 1, "detection_scores": 1, "detection": 1, "detection_excerpt": 1,
    "identification_tables": 1, "identification_scores": 1, "identification": 1, "embedding": 1,
}  # fmt: skip


def configuration(folder: Path, before: str = "", after: str = "") -> Path:
    """The ball-and-stick configuration with SimSort, maybe with one key changed."""
    text = BALL_AND_STICK.read_text().replace("\nsorting:\n  sorters:\n", SIMSORT)
    assert text.count(before) == 1 or not before
    path = folder / "trained.yaml"
    path.write_text(text.replace(before, after) if before else text)
    return path


@pytest.fixture(scope="module")
def trained_run(finished_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The finished run with SimSort added; not to be changed."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    shutil.copytree(finished_run, folder)
    write_handmade_networks(folder / "mine")
    settings = configuration(folder)
    jobs = plan(folder, configuration=settings)
    assert jobs == {"config": 1, "simsort_detector": 1, "simsort_identifier": 1, "sort": 2, **SCORED, **NETWORKS_SEEN}
    snakemake(folder, "--cores", "2", configuration=settings)
    return folder


@pytest.fixture
def copied_trained_run(trained_run: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    folder = tmp_path / "run"
    shutil.copytree(trained_run, folder)
    return folder


def test_a_trained_run_is_whole_and_has_nothing_to_do(trained_run: Path) -> None:
    assert plan(trained_run, configuration=configuration(trained_run)) == {}
    assert verify_tree(trained_run / "results/ball_and_stick").ok
    assert "simsort_small" in (trained_run / "results/ball_and_stick/tables/counts.csv").read_text()


@pytest.mark.parametrize(
    ("before", "after", "trained"),
    [
        ("steps: 5,", "steps: 7,", {"simsort_identifier": 1}),
        ("{width: 8}", "{width: 6}", {"simsort_detector": 1}),
        ("steps: 6,", "steps: 6, tensorboard: true,", {"simsort_detector": 1}),
        ("\nsimsort:\n", "\nsimsort:\n  bank_s: 3.0\n", {"simsort_detector": 1, "simsort_identifier": 1}),
    ],
    ids=["identifier", "detector", "tensorboard", "both"],
)
def test_editing_a_key_trains_what_reads_it_and_sorts_with_it(
    copied_trained_run: Path, before: str, after: str, trained: dict[str, int]
) -> None:
    jobs = plan(copied_trained_run, configuration=configuration(copied_trained_run, before, after))
    assert jobs == {"config": 1, **trained, "sort": 1, **SCORED, **NETWORKS_SEEN}


def test_deleted_weights_are_trained_again(copied_trained_run: Path) -> None:
    (copied_trained_run / "results/ball_and_stick/sorting/simsort/weights/detector.safetensors").unlink()
    jobs = plan(copied_trained_run, configuration=configuration(copied_trained_run))
    assert jobs == {"simsort_detector": 1, "sort": 1, **SCORED, **NETWORKS_SEEN}


def test_other_weights_of_the_users_sort_again(copied_trained_run: Path) -> None:
    card = copied_trained_run / "mine/identifier.card.json"
    card.write_text(card.read_text() + "\n")
    jobs = plan(copied_trained_run, configuration=configuration(copied_trained_run))
    assert jobs == {"sort": 1, **SCORED}


def test_a_raised_version_of_simsort_sorts_again_with_it_and_with_no_other(trained_run: Path, tmp_path: Path) -> None:
    workflow, settings = copied_workflow(tmp_path / "workflow"), configuration(tmp_path)
    assert plan(trained_run, configuration=settings, workflow=workflow) == {}
    common = workflow / "rules/common.smk"
    before, _, after = common.read_text().partition('SORTER_VERSIONS = {"simsort": ')
    assert after
    common.write_text(f'{before}SORTER_VERSIONS = {{"simsort": 1{after}')
    jobs = plan(trained_run, configuration=settings, workflow=workflow)
    assert jobs == {"sort": 2, **SCORED}


def test_the_test_side_trains_nothing(copied_trained_run: Path) -> None:
    (copied_trained_run / "results/ball_and_stick/simulation/currents/ball_and_stick_3/v000-0.h5").unlink()
    jobs = plan(copied_trained_run, configuration=configuration(copied_trained_run))
    assert jobs["currents"] == 1 and not {"simsort_detector", "simsort_identifier"} & set(jobs)
