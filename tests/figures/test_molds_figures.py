"""The figures of MoLDS' experiments, and their headline numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from spikeline.artifacts import verify_tree, write_csv
from spikeline.errors import FormatError
from spikeline.figures import draw_molds_complex, draw_molds_sample_size, draw_molds_smd_rtpm
from spikeline.figures.molds_headlines import molds_headlines
from spikeline.figures.molds_scores import medians, smd_wins
from tests.figures.molds_tables import decompositions, methods, write_molds_tables


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_molds_tables(tmp_path_factory.mktemp("molds"))


FIGURES: dict[str, tuple[Callable[..., dict[str, Path]], tuple[str, ...]]] = {
    "molds_smd_rtpm": (draw_molds_smd_rtpm, ("decompositions",)),
    "molds_complex": (draw_molds_complex, ("three", "six", "noise")),
    "molds_sample_size": (draw_molds_sample_size, ("sample_size",)),
}


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_drawn_alike_every_time(name: str, tables: dict[str, Path], tmp_path: Path) -> None:
    draw, wanted = FIGURES[name]
    written = draw([tables[table] for table in wanted], tmp_path / name, tier="quick")
    assert set(written) == {"png", "pdf", "csv"} and verify_tree(tmp_path).ok
    assert written["png"].stat().st_size > 10_000 and written["pdf"].stat().st_size > 5_000
    again = draw([tables[table] for table in wanted], tmp_path / "again", tier="quick")
    assert all(written[ending].read_bytes() == again[ending].read_bytes() for ending in written)


@pytest.mark.parametrize("name", FIGURES)
def test_a_missing_column_is_named(name: str, tables: dict[str, Path], tmp_path: Path) -> None:
    draw, wanted = FIGURES[name]
    write_csv(tmp_path / "broken.csv", pd.read_csv(tables[wanted[0]]).drop(columns="markov_error"))
    with pytest.raises(FormatError, match="no column markov_error"):
        draw([tmp_path / "broken.csv"], tmp_path / "figure")
    assert not list(tmp_path.glob("figure*"))


def test_the_percentage_is_that_of_the_cells_and_stands_beside_the_papers(
    tables: dict[str, Path], tmp_path: Path
) -> None:
    drawn = pd.read_csv(draw_molds_smd_rtpm([tables["decompositions"]], tmp_path / "figure")["csv"])
    percent = drawn[drawn["table"] == "percent"].set_index("estimator")
    assert percent["percent"].to_dict() == {"ustat": 75.0, "stein": 0.0, "paper": 91.0}
    assert "2510.06091" in percent.loc["paper", "source"] and percent.loc["ustat", "cells_of_percent"] == 4
    cell = drawn[(drawn["estimator"] == "ustat") & (drawn["trajectories"] == 1000) & (drawn["steps"] == 240)].iloc[0]
    assert cell["smd"] == pytest.approx(10 / np.sqrt(240_000) * 1.1) and cell["rtpm"] == pytest.approx(
        1.25 * cell["smd"]
    )


def test_a_decomposition_that_failed_loses_its_cell(tables: dict[str, Path], tmp_path: Path) -> None:
    table = decompositions()
    failed = (table["decomposition"] == "smd") & (table["estimator"] == "ustat") & (table["steps"] == 240)
    table.loc[failed, "markov_error"] = np.nan
    table["note"] = np.where(failed, "came to no end", None)
    write_csv(tmp_path / "failed.csv", table)
    drawn = pd.read_csv(draw_molds_smd_rtpm([tmp_path / "failed.csv"], tmp_path / "figure")["csv"])
    percent = drawn[drawn["table"] == "percent"].set_index("estimator")["percent"]
    assert percent["ustat"] == 25.0
    assert molds_headlines([tmp_path / "failed.csv"])["molds.tensor.ustat_markov_error"] is None


def test_one_failed_seed_of_three_leaves_a_finite_median() -> None:
    table = decompositions().query("estimator == 'ustat' and decomposition == 'smd'").copy()
    table.loc[table["seed"] == 0, "markov_error"] = np.inf
    found = medians(table, ["cell"], "markov_error")
    assert np.isfinite(found["median"]).all() and np.isinf(found["high"]).all() and set(found["n"]) == {3}
    table.loc[table["seed"] < 2, "markov_error"] = np.inf
    assert np.isinf(medians(table, ["cell"], "markov_error")["median"]).all()
    assert medians(table.assign(markov_error=np.nan), ["cell"], "markov_error")["median"].isna().all()


def test_without_both_decompositions_an_error_says_what_to_list(tmp_path: Path) -> None:
    write_csv(tmp_path / "one.csv", decompositions().query("decomposition == 'smd'"))
    with pytest.raises(FormatError, match="errors of both decompositions"):
        draw_molds_smd_rtpm([tmp_path / "one.csv"], tmp_path / "figure")
    assert smd_wins(decompositions().query("decomposition == 'smd'")).empty


def test_methods_that_nobody_draws_are_refused(tables: dict[str, Path], tmp_path: Path) -> None:
    write_csv(tmp_path / "odd.csv", methods("odd").assign(method="odd"))
    with pytest.raises(FormatError, match="no row of the tables"):
        draw_molds_complex([tmp_path / "odd.csv"], tmp_path / "figure")
    with pytest.raises(FormatError, match="tensor stage by simultaneous"):
        draw_molds_sample_size([tmp_path / "odd.csv"], tmp_path / "figure")


def test_medians_are_those_of_the_table(tables: dict[str, Path], tmp_path: Path) -> None:
    drawn = pd.read_csv(
        draw_molds_complex([tables["three"], tables["noise"]], tmp_path / "figure")["csv"], low_memory=False
    )
    found = drawn[
        (drawn["table"] == "medians") & (drawn["measure"] == "markov_error") & (drawn["method"] == "tensor_em")
    ]
    assert found[found["experiment"] == "three"]["median"].tolist() == pytest.approx([0.021 * 1.3])
    assert found[found["experiment"] == "noise"]["median"].tolist() == pytest.approx(
        [0.021 * 1.3 * f for f in (1, 4, 16)]
    )
    size = pd.read_csv(draw_molds_sample_size([tables["sample_size"]], tmp_path / "size")["csv"], low_memory=False)
    flat = size[(size["table"] == "medians") & (size["method"] == "trajectory_ols")]
    assert flat["median"].tolist() == pytest.approx([3 / np.sqrt(T) for T in flat["steps"]])


def test_headlines_are_of_the_cells_they_name(tables: dict[str, Path]) -> None:
    found = molds_headlines([tables["decompositions"]], [tables["three"], tables["six"], tables["noise"]])
    assert found == pytest.approx({
        "molds.tensor.ustat_markov_error": 10 / np.sqrt(240_000) * 1.1,
        "molds.tensor.stein_markov_error": 50 / np.sqrt(240_000) * 1.1,
        "molds.tensor.seeds": 3,
        "molds.em.seeds_k3": 4,
        "molds.em.seeds_k6": 4,
        "molds.smd_rtpm.smd_wins_percent": 75.0,
        "molds.smd_rtpm.smd_wins_percent_stein": 0.0,
        **{f"molds.em.markov_error_over_oracle_start{k}": 1.05 for k in ("", "_k3", "_k6")},
        **{f"molds.em.ari_min{k}": 0.997 for k in ("", "_k3", "_k6")},
        **{f"molds.em.iterations_over_random{k}": 11.5 / 51.5 for k in ("", "_k3", "_k6")},
    })  # fmt: skip
    assert molds_headlines([], [tables["noise"]]) == {} and molds_headlines() == {}


def test_the_worst_experiment_is_the_headline(tmp_path: Path) -> None:
    table = methods("six", K=6)
    table.loc[(table["method"] == "tensor_em") & (table["seed"] == 3), "ari"] = 0.4
    table.loc[table["method"] == "truth_em", "markov_error"] /= 2
    write_csv(tmp_path / "six.csv", table)
    write_csv(tmp_path / "three.csv", methods("three"))
    found = molds_headlines([], [tmp_path / "three.csv", tmp_path / "six.csv"])
    assert found["molds.em.ari_min"] == 0.4 and found["molds.em.ari_min_k3"] == pytest.approx(0.997)
    assert found["molds.em.markov_error_over_oracle_start"] == pytest.approx(2.1)
