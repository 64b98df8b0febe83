"""A run that trains the published networks too: what an edit of one preset trains, and sorts, again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from spikeline.artifacts import verify_tree
from tests.workflow.running import BALL_AND_STICK, ROOT, plan, snakemake

pytestmark = [pytest.mark.workflow, pytest.mark.neuron]

PAPER = """
simsort:
  paper:
    detector:
      scenes: {duration_s: 3.0, extent_um: 4.0}
      network: {n_layers: 1, width: 8, n_heads: 2, feedforward: 8}
      batches: {windows: 4, samples: 128, scenes_per_batch: 2, measured_scenes: 2}
      training: {steps: 6, warm_up_steps: 1}
    identifier:
      scenes: {duration_s: 3.0, extent_um: 4.0, spikes_per_unit: 4}
      network: {hidden: 8}
      batches: {triplets: 8, scenes_per_batch: 3}
      training: {steps: 5}

sorting:
  sorters:
    simsort_paper: {sorter: simsort, parameters: {preset: paper, weights: trained}}
"""
SCORED = {"score": 1, "scores": 1, "accuracy": 1, "summary": 1, "all": 1}


def configuration(folder: Path, before: str = "", after: str = "") -> Path:
    """The ball-and-stick configuration with the published sorter, maybe with one key changed."""
    text = BALL_AND_STICK.read_text().replace("\nsorting:\n  sorters:\n", PAPER)
    assert text.count(before) == 1 or not before
    path = folder / "paper.yaml"
    path.write_text(text.replace(before, after) if before else text)
    return path


@pytest.fixture(scope="module")
def paper_run(finished_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The finished run with the published sorter added; not to be changed."""
    folder = tmp_path_factory.mktemp("paper") / "run"
    shutil.copytree(finished_run, folder)
    settings = configuration(folder)
    jobs = plan(folder, configuration=settings)
    assert jobs == {"config": 1, "simsort_paper_detector": 1, "simsort_paper_identifier": 1, "sort": 1, **SCORED}
    snakemake(folder, "--cores", "2", configuration=settings)
    return folder


@pytest.fixture
def copied_paper_run(paper_run: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    folder = tmp_path / "run"
    shutil.copytree(paper_run, folder)
    return folder


def test_a_run_with_the_published_sorter_is_whole_and_has_nothing_to_do(paper_run: Path) -> None:
    assert plan(paper_run, configuration=configuration(paper_run)) == {}
    results = paper_run / "results/ball_and_stick"
    assert verify_tree(results).ok
    assert "simsort_paper" in (results / "tables/counts.csv").read_text()
    card = json.loads((results / "sorting/simsort_paper/weights/detector.card.json").read_text())
    assert card["preset"] == "paper"


@pytest.mark.parametrize(
    ("before", "after", "trained"),
    [
        ("steps: 5}", "steps: 7}", {"simsort_paper_identifier": 1}),
        ("width: 8,", "width: 6,", {"simsort_paper_detector": 1}),
        (
            "\nsimsort:\n",
            "\nsimsort:\n  bank_s: 3.5\n",
            {"simsort_paper_detector": 1, "simsort_paper_identifier": 1},
        ),
        ("weights: trained}", "weights: trained, paper: {tail: pad}}", {}),
        ("\nsimsort:\n", "\nsimsort:\n  detector: {network: {width: 16}}\n", None),
    ],
    ids=["identifier", "detector", "both", "how it sorts", "the other preset"],
)
def test_editing_a_key_trains_what_reads_it_and_sorts_with_it(
    copied_paper_run: Path, before: str, after: str, trained: dict[str, int] | None
) -> None:
    jobs = plan(copied_paper_run, configuration=configuration(copied_paper_run, before, after))
    assert jobs == ({"config": 1, "all": 1} if trained is None else {"config": 1, **trained, "sort": 1, **SCORED})


def test_deleted_weights_are_trained_again(copied_paper_run: Path) -> None:
    (copied_paper_run / "results/ball_and_stick/sorting/simsort_paper/weights/identifier.safetensors").unlink()
    jobs = plan(copied_paper_run, configuration=configuration(copied_paper_run))
    assert jobs == {"simsort_paper_identifier": 1, "sort": 1, **SCORED}


def test_one_run_trains_both_presets(tmp_path: Path) -> None:
    both = tmp_path / "both.yaml"
    text = BALL_AND_STICK.read_text().replace("\nsorting:\n  sorters:\n", PAPER)
    both.write_text(text + "    simsort: {sorter: simsort, parameters: {weights: trained}}\n")
    jobs = plan(tmp_path, "--", "sortings", configuration=both)
    assert jobs["sort"] == 3
    assert {jobs[f"simsort_{name}"] for name in ("detector", "identifier", "paper_detector", "paper_identifier")} == {1}


def test_the_weights_are_one_target(tmp_path: Path) -> None:
    jobs = plan(tmp_path, "--", "simsort_paper_weights", configuration=ROOT / "config/quick.yaml")
    trained = {"simsort_paper_detector": 1, "simsort_paper_identifier": 1, "simsort_paper_weights": 1}
    assert jobs == {"config": 1, "mechanisms": 1, "rheobase": 7, "currents": 7, **trained}


def test_without_weights_the_plan_says_how_to_get_them(tmp_path: Path) -> None:
    settings = configuration(tmp_path, ", weights: trained", "")
    said = snakemake(tmp_path, "--dry-run", configuration=settings, succeeds=False)
    assert "preset: paper without weights" in said and "simsort_paper_weights" in said
