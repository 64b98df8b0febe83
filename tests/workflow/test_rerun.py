"""What runs again after a change: only what the change touches."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulation.cell_packages import STOCHASTIC_CELL, write_package
from tests.workflow.running import BALL_AND_STICK, checksums, plan, snakemake

pytestmark = [pytest.mark.workflow, pytest.mark.neuron]

FIGURES_OF_THE_BANK = {
    "bank_tables": 1,
    "cells": 1,
    "traces": 1,
    "bank_rank": 1,
    "summary": 1,
    "placement_check": 1,
    "all": 1,
}
FROM_SORTING_ON = {"sort": 1, "score": 1, "scores": 1, "accuracy": 1}
FROM_RECORDING_ON = {"recording": 1, "excerpt_tables": 1, "recording_excerpt": 1, **FROM_SORTING_ON}


def edited(folder: Path, before: str, after: str) -> Path:
    """The ball-and-stick configuration with one key changed."""
    text = BALL_AND_STICK.read_text()
    assert text.count(before) == 1
    path = folder / "edited.yaml"
    path.write_text(text.replace(before, after))
    return path


def test_a_finished_run_has_nothing_to_do(finished_run: Path) -> None:
    assert plan(finished_run) == {}


def test_deleting_a_test_entry_rebuilds_it_and_what_depends_on_it(copied_run: Path) -> None:
    (copied_run / "results/ball_and_stick/simulation/currents/ball_and_stick_2/v000-0.h5").unlink()
    assert plan(copied_run) == {"currents": 1, **FIGURES_OF_THE_BANK, **FROM_RECORDING_ON}


def test_deleting_a_training_entry_leaves_the_test_recording_alone(copied_run: Path) -> None:
    (copied_run / "results/ball_and_stick/simulation/currents/ball_and_stick_1/v000-0.h5").unlink()
    assert plan(copied_run) == {"currents": 1, **FIGURES_OF_THE_BANK}


def test_deleting_a_figure_draws_it_again(copied_run: Path) -> None:
    (copied_run / "results/ball_and_stick/figures/cells.png").unlink()
    assert plan(copied_run) == {"cells": 1, "all": 1}


@pytest.mark.parametrize(
    ("before", "after", "jobs"),
    [
        ("level_uv: 2.0", "level_uv: 3.0", {**FROM_RECORDING_ON, "summary": 1, "config": 1, "all": 1}),
        (
            "{sorter: simple}",
            "{sorter: simple, parameters: {apply_preprocessing: true}}",
            {**FROM_SORTING_ON, "summary": 1, "config": 1, "all": 1},
        ),
        ("slice_s: 1.0", "slice_s: 2.0", {"currents": 3, **FIGURES_OF_THE_BANK, **FROM_RECORDING_ON, "config": 1}),
    ],
    ids=["noise level", "sorter parameter", "slice length"],
)
def test_editing_one_key_reruns_what_reads_it(copied_run: Path, before: str, after: str, jobs: dict[str, int]) -> None:
    assert plan(copied_run, configuration=edited(copied_run, before, after)) == jobs


def test_moving_a_cell_across_the_split_simulates_nothing_again(copied_run: Path) -> None:
    text = BALL_AND_STICK.read_text()
    moved = text.replace("train: [ball_and_stick_1]", "train: []").replace("test: [", "test: [ball_and_stick_1, ")
    (copied_run / "moved.yaml").write_text(moved)
    jobs = plan(copied_run, configuration=copied_run / "moved.yaml")
    assert not {"mechanisms", "rheobase", "currents"} & set(jobs)
    assert jobs["bank_tables"] == 1


def test_adding_a_cell_simulates_that_cell_alone(copied_run: Path) -> None:
    text = BALL_AND_STICK.read_text()
    (copied_run / "added.yaml").write_text(text.replace("train: [", "train: [ball_and_stick_4, "))
    jobs = plan(copied_run, configuration=copied_run / "added.yaml")
    assert (jobs["rheobase"], jobs["currents"]) == (1, 1)
    assert "mechanisms" not in jobs  # it brings no new channel
    assert "recording" not in jobs


def test_adding_variants_simulates_the_new_ones_alone(copied_run: Path) -> None:
    text = BALL_AND_STICK.read_text().replace("  cells:\n", "  cells:\n    variants: {count: 2}\n")
    (copied_run / "more.yaml").write_text(text)
    jobs = plan(copied_run, configuration=copied_run / "more.yaml")
    assert (jobs["rheobase"], jobs["currents"]) == (3, 3)
    assert "mechanisms" not in jobs


@pytest.mark.neuron
def test_an_edited_channel_is_compiled_and_measured_again(tmp_path: Path) -> None:
    package = tmp_path / "cells" / STOCHASTIC_CELL
    write_package(package)
    configuration = tmp_path / "folder.yaml"
    cells = f"{{source: bbp_folder, folder: {package.parent}, train: [], test: [{STOCHASTIC_CELL}]}}"
    configuration.write_text(
        f"run: folder\nsimulation:\n  cells: {cells}\n  integration: {{temperature_c: 20.0}}\n"
        "  rheobase: {step_ms: 100.0}\n"
    )
    snakemake(tmp_path, "--cores", "1", "--", "rheobases", configuration=configuration)
    assert plan(tmp_path, "--", "rheobases", configuration=configuration) == {}
    channel = package / "mechanisms" / "StochKv.mod"
    channel.write_text(channel.read_text().replace("total = 40", "total = 20"))
    jobs = plan(tmp_path, "--", "rheobases", configuration=configuration)
    assert (jobs["mechanisms"], jobs["rheobase"]) == (1, 1)


def test_editing_a_probe_file_records_again(copied_run: Path) -> None:
    import numpy as np
    import probeinterface

    probe = probeinterface.Probe(ndim=2, si_units="um")
    probe.set_contacts(positions=np.array([[0.0, 0.0], [0.0, 20.0]]), shapes="circle", shape_params={"radius": 5.0})
    probe.set_device_channel_indices([0, 1])
    configuration = edited(copied_run, "drive: events", "drive: events\n    probe: {kind: file, file: probe.json}")
    probeinterface.write_probeinterface(copied_run / "probe.json", probe)
    snakemake(copied_run, "--cores", "2", configuration=configuration)
    assert plan(copied_run, configuration=configuration) == {}
    probe.move([0, 1])
    probeinterface.write_probeinterface(copied_run / "probe.json", probe)
    assert plan(copied_run, configuration=configuration) == {**FROM_RECORDING_ON, "summary": 1, "all": 1}


def test_one_job_at_a_time_gives_the_same_bytes(finished_run: Path, tmp_path: Path) -> None:
    snakemake(tmp_path, "--cores", "1")
    assert checksums(tmp_path) == checksums(finished_run)
