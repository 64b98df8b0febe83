"""Every figure: drawn, complete, the same bytes each time, and refused with one clear error where a table is broken."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pytest

from spikeline.artifacts import file_checksum, read_manifest, write_csv
from spikeline.errors import FormatError
from spikeline.figures import (
    draw_accuracy,
    draw_bank_rank,
    draw_cells,
    draw_detection,
    draw_detection_excerpt,
    draw_embedding,
    draw_identification,
    draw_real_recording,
    draw_recording_excerpt,
    draw_traces,
    real_recording,
)
from tests.figures.caught import caught
from tests.figures.synthetic_tables import write_recording_tables, write_score_tables

# figure -> (function, group of tables, its tables in order)
FIGURES: dict[str, tuple[Callable[..., dict[str, Path]], str, tuple[str, ...]]] = {
    "cells": (draw_cells, "bank", ("morphology", "footprint")),
    "traces": (draw_traces, "bank", ("traces", "morphology")),
    "bank_rank": (draw_bank_rank, "bank", ("rank_error", "bank")),
    "recording_excerpt": (draw_recording_excerpt, "recording", ("excerpt", "spikes", "units", "contacts")),
    "accuracy": (draw_accuracy, "scores", ("scores", "counts")),
    "real_recording": (draw_real_recording, "real", ("waveforms", "excerpt", "spikes")),
    "detection": (draw_detection, "detection", ("scores", "units")),
    "detection_excerpt": (draw_detection_excerpt, "detection", ("excerpt", "probability", "spikes", "events")),
    "identification": (draw_identification, "identification", ("scores",)),
    "embedding": (draw_embedding, "identification", ("points", "outlines", "waveforms")),
}
ALONE = {"identification"}  # drawn from one table, which is saved as it is


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_drawn_with_its_table_and_manifests(name, tables, tmp_path) -> None:
    draw, group, wanted = FIGURES[name]
    written = draw(*(tables[group][table] for table in wanted), tmp_path / name, tier="quick")
    assert {path.name for path in tmp_path.iterdir()} == {
        f"{name}.{ending}{suffix}" for ending in ("pdf", "png", "csv") for suffix in ("", ".manifest.json")
    }
    assert written["png"].stat().st_size > 10_000 and written["pdf"].stat().st_size > 5_000
    assert b"CreationDate" not in written["pdf"].read_bytes()
    assert read_manifest(written["pdf"])["sha256"] == file_checksum(written["pdf"])
    assert len(pd.read_csv(written["csv"], low_memory=False)) > 5
    if name not in ALONE:
        assert set(pd.read_csv(written["csv"], low_memory=False)["table"]) >= set(wanted)


@pytest.mark.parametrize("name", ["bank_rank", "accuracy", "detection", "embedding"])
def test_the_same_tables_give_the_same_bytes_in_another_process(name, tables, tmp_path) -> None:
    draw, group, wanted = FIGURES[name]
    paths = [tables[group][table] for table in wanted]
    with matplotlib.rc_context({"font.size": 20, "lines.linewidth": 9}):  # a user's own style must not show
        here = draw(*paths, tmp_path / "here")
    arguments = ", ".join(f"{str(path)!r}" for path in (*paths, tmp_path / "there"))
    subprocess.run(
        [sys.executable, "-c", f"from spikeline.figures import *; {draw.__name__}({arguments})"],
        check=True,
        env={"PYTHONHASHSEED": "11"},
    )
    for ending, path in here.items():
        assert path.read_bytes() == (tmp_path / f"there.{ending}").read_bytes(), ending


@pytest.mark.parametrize("name", FIGURES)
def test_a_missing_column_is_named(name, tables, tmp_path) -> None:
    draw, group, wanted = FIGURES[name]
    broken = pd.read_csv(tables[group][wanted[0]])
    lost = {
        "cells": "x0_um",
        "traces": "value",
        "bank_rank": "rank",
        "recording_excerpt": "potential_uv",
        "accuracy": "accuracy",
        "real_recording": "mean",
        "detection": "f1",
        "detection_excerpt": "value",
        "identification": "ari",
        "embedding": "x",
    }[name]
    write_csv(tmp_path / "broken.csv", broken.drop(columns=lost))
    with pytest.raises(FormatError, match=f"no column {lost}"):
        draw(tmp_path / "broken.csv", *(tables[group][table] for table in wanted[1:]), tmp_path / "figure")
    assert not list(tmp_path.glob("figure*"))


def test_an_empty_table_and_text_among_numbers_are_refused(tables, tmp_path) -> None:
    bank = pd.read_csv(tables["bank"]["bank"])
    write_csv(tmp_path / "empty.csv", bank.iloc[:0])
    with pytest.raises(FormatError, match="no rows"):
        draw_bank_rank(tables["bank"]["rank_error"], tmp_path / "empty.csv", tmp_path / "figure")
    write_csv(tmp_path / "text.csv", bank.assign(rank="many"))
    with pytest.raises(FormatError, match="holds text"):
        draw_bank_rank(tables["bank"]["rank_error"], tmp_path / "text.csv", tmp_path / "figure")
    with pytest.raises(FormatError, match="does not exist"):
        draw_bank_rank(tables["bank"]["rank_error"], tmp_path / "absent.csv", tmp_path / "figure")


def test_traces_need_a_soma(tables, tmp_path) -> None:
    traces = pd.read_csv(tables["bank"]["traces"])
    write_csv(tmp_path / "traces.csv", traces[traces["trace"] != "soma"])
    with pytest.raises(FormatError, match="soma and at least one electrode"):
        draw_traces(tmp_path / "traces.csv", tables["bank"]["morphology"], tmp_path / "figure")


def test_cells_without_a_common_cell_are_refused(tables, tmp_path) -> None:
    footprint = pd.read_csv(tables["bank"]["footprint"])
    write_csv(tmp_path / "footprint.csv", footprint.assign(cell="another"))
    with pytest.raises(FormatError, match="no cell in common"):
        draw_cells(tables["bank"]["morphology"], tmp_path / "footprint.csv", tmp_path / "figure")


def test_a_large_probe_keeps_the_channels_next_to_the_largest_units(tmp_path) -> None:
    tables = write_recording_tables(tmp_path, channels=40, units=12)
    written = draw_recording_excerpt(
        *(tables[name] for name in ("excerpt", "spikes", "units", "contacts")), tmp_path / "figure", most_channels=8
    )
    drawn = pd.read_csv(written["csv"], low_memory=False)
    shown = drawn[drawn["table"] == "excerpt"]["channel"].astype(float).unique()
    units = pd.read_csv(tables["units"]).sort_values("peak_to_peak_uv")
    contacts = pd.read_csv(tables["contacts"])
    nearest = np.hypot(contacts["x_um"] - units["x_um"].iloc[-1], contacts["y_um"] - units["y_um"].iloc[-1]).idxmin()
    assert len(shown) == 8 and contacts["channel"][nearest] in shown


def test_many_recordings_share_one_row_and_a_sorter_that_found_nothing_keeps_its_place(tmp_path) -> None:
    tables = write_score_tables(tmp_path, tuple(f"recording{i}" for i in range(6)), units=3)
    scores, counts = pd.read_csv(tables["scores"]), pd.read_csv(tables["counts"])
    write_csv(tmp_path / "fewer.csv", scores[scores["sorter"] != "simple"])
    nothing = counts["sorter"] == "simple"
    counts.loc[nothing, ["units_found", "well_detected", "false_positive", "redundant", "over_merged"]] = 0
    write_csv(tmp_path / "counts.csv", counts)
    draw_accuracy(tmp_path / "fewer.csv", tmp_path / "counts.csv", tmp_path / "figure")


def test_real_recording_draws_sorters_that_found_nothing(tables, tmp_path) -> None:
    for name in ("waveforms", "spikes"):
        write_csv(tmp_path / f"{name}.csv", pd.read_csv(tables["real"][name]).iloc[:0])
    written = draw_real_recording(
        tmp_path / "waveforms.csv", tables["real"]["excerpt"], tmp_path / "spikes.csv", tmp_path / "figure"
    )
    assert written["png"].exists()


def test_a_sorter_of_several_that_found_nothing_has_a_row_of_its_own(tables, tmp_path, monkeypatch) -> None:
    """It stands in no table, so its name has to come from elsewhere; its row has the scale of the others'."""
    figures = caught(monkeypatch, real_recording)
    paths = [tables["real"][name] for name in ("waveforms", "excerpt", "spikes")]
    found = sorted(set(pd.read_csv(paths[2])["sorter"]))
    names = [*found, "zero"]
    written = draw_real_recording(*paths, tmp_path / "figure", sorters=["zero", found[0]])
    rows = {axes.get_ylabel(): axes for axes in figures[0].axes}
    assert rows["zero"].get_xlim() == rows[found[0]].get_xlim() and rows["zero"].texts[0].get_text() == "no unit"
    assert "0 units, 0 spikes" in {axes.get_title(loc="right") for axes in figures[0].axes}
    drawn = pd.read_csv(written["csv"], low_memory=False)
    counts = drawn[drawn["table"] == "sorters"].set_index("sorter")
    assert counts.index.tolist() == names
    assert counts.loc["zero", ["units", "spikes"]].tolist() == [0, 0] and counts.loc[found, "spikes"].min() > 0


def test_figures_import_no_simulator_sorter_or_network() -> None:
    forbidden = {"torch", "neuron", "LFPy", "spikeinterface", "matplotlib.pyplot"}
    code = f"import sys, spikeline.figures; bad = {forbidden} & set(sys.modules); assert not bad, bad"
    subprocess.run([sys.executable, "-c", code], check=True)
