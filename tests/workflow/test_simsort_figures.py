"""The figures of SimSort: what they plan, and what runs again after a change."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sorting.simsort.handmade_networks import write_handmade_networks
from tests.workflow.running import BALL_AND_STICK, ROOT, plan, snakemake

pytestmark = pytest.mark.workflow

QUICK = ROOT / "config/quick.yaml"
BANK = {"config": 1, "mechanisms": 1, "rheobase": 13, "currents": 13, "recording": 3}


def evaluated(jobs: dict[str, int]) -> dict[str, int]:
    """The jobs that make tables and pictures of SimSort."""
    words = ("detection", "identification", "embedding", "snippet", "sorting_table")
    return {rule: count for rule, count in jobs.items() if rule.startswith(words)}


ALL = {
    "detection_tables": 3, "detection_scores": 1, "detection": 1, "detection_excerpt": 3,
    "identification_tables": 3, "identification_scores": 1, "identification": 1, "embedding": 3,
    "sorting_table": 1,
}  # fmt: skip


def test_one_target_draws_them_all_and_so_does_a_run(tmp_path: Path) -> None:
    assert evaluated(plan(tmp_path, "--", "simsort", configuration=QUICK)) == ALL
    assert evaluated(plan(tmp_path, configuration=QUICK)) == ALL
    assert evaluated(plan(tmp_path)) == {}  # a run without SimSort has none of them


def test_a_figure_needs_nothing_but_recordings_if_its_weights_come_along(tmp_path: Path) -> None:
    jobs = plan(tmp_path, "--", "results/quick/figures/detection.png", configuration=QUICK)
    own = {"detection_tables": 3, "detection_scores": 1, "detection": 1}
    assert {rule: count for rule, count in jobs.items() if rule not in BANK} == own


def test_a_figure_of_trained_weights_waits_for_the_training(tmp_path: Path) -> None:
    text = QUICK.read_text().replace(
        "simsort: {sorter: simsort}", "simsort: {sorter: simsort, parameters: {weights: trained}}"
    )
    (tmp_path / "trained.yaml").write_text(text)
    path = "results/quick/figures/identification.png"
    jobs = plan(tmp_path, "--", path, configuration=tmp_path / "trained.yaml")
    assert jobs["simsort_detector"] == jobs["simsort_identifier"] == 1


@pytest.fixture
def data_root(tmp_path: Path) -> Path:
    """A folder with something at the place of two recordings and of the snippets: a plan looks no further."""
    for name in ("locust_trial_01", "C_Easy1_noise01_short", "C_Difficult2_noise005_spikes"):
        file = tmp_path / f"data/sorting/{name}.npz"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    return tmp_path / "data"


def test_snippets_and_recordings_with_known_spikes_join_with_data_root(data_root: Path, tmp_path: Path) -> None:
    text = QUICK.read_text().replace("[locust_trial_01]", "[locust_trial_01, quiroga_easy1_noise01_short]")
    (tmp_path / "known.yaml").write_text(text)
    arguments = ("--config", f"data_root={data_root}", "--", "simsort")
    jobs = plan(tmp_path, *arguments, configuration=tmp_path / "known.yaml")
    more = {"detection_tables_real": 1, "identification_tables_real": 1, "snippet_tables": 1}
    assert evaluated(jobs) == {**ALL, **more, "detection_excerpt": 4, "embedding": 5}
    assert jobs["score_real"] == 1  # for the sorting table
    (data_root / "sorting/C_Difficult2_noise005_spikes.npz").unlink()
    assert "snippet_tables" not in plan(tmp_path, *arguments, configuration=tmp_path / "known.yaml")


def test_without_the_sorter_an_error_says_what_is_missing(tmp_path: Path) -> None:
    output = snakemake(tmp_path, "--dry-run", "--", "simsort", succeeds=False)
    assert "none of sorting.sorters is simsort" in output and "sorting.sorters.simsort: {sorter: simsort}" in output


@pytest.mark.neuron
def test_what_a_change_touches_is_evaluated_again(copied_run: Path) -> None:
    weights = copied_run / "weights"
    weights.mkdir()
    write_handmade_networks(weights)
    text = BALL_AND_STICK.read_text()

    def configured(parameters: str = "") -> Path:
        sorter = f"simsort: {{sorter: simsort, parameters: {{weights: {weights}{parameters}}}}}"
        path = copied_run / "simsort.yaml"
        path.write_text(text.replace("simple: {sorter: simple}", f"simple: {{sorter: simple}}\n    {sorter}"))
        return path

    targets = [f"results/ball_and_stick/figures/{name}.png" for name in ("detection", "detection_excerpt/tetrode")]
    own = {"detection_tables": 1, "detection_scores": 1, "detection": 1, "detection_excerpt": 1}
    assert plan(copied_run, "--", *targets, configuration=configured()) == own
    snakemake(copied_run, "--cores", "2", "--", *targets, configuration=configured())
    assert plan(copied_run, "--", *targets, configuration=configured()) == {}
    assert plan(copied_run, "--", *targets, configuration=configured(", detection_probability: 0.4")) == own
    (copied_run / targets[0]).unlink()
    assert plan(copied_run, "--", *targets, configuration=configured()) == {"detection": 1}
    (weights / "detector.card.json").write_text((weights / "detector.card.json").read_text() + "\n")
    assert plan(copied_run, "--", *targets, configuration=configured()) == own
