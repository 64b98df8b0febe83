"""The figures of SimSort's studies: what is compared with what, and what is drawn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from scipy.stats import bootstrap as reference_bootstrap

from spikeline.artifacts import verify_tree, write_csv
from spikeline.errors import FormatError
from spikeline.figures import ablations as ablations_figure
from spikeline.figures import draw_ablations, draw_fine_tuning, draw_held_out_classes, draw_training_data
from spikeline.figures.reference import NOT_AVAILABLE
from spikeline.figures.study_measures import bootstrap, differences, items
from spikeline.sorting.simsort.studies import clusterings as studied
from tests.figures.caught import caught
from tests.figures.study_tables import CLUSTERERS, REDUCERS, study_table, write_study_tables

AMOUNTS = {"recording": {"amount": "recording"}, "neurons": {"amount": "neurons"}}


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_study_tables(tmp_path_factory.mktemp("studies"))


def training_data(tables: dict[str, Path], prefix: Path, **options) -> dict[str, Path]:
    return draw_training_data([tables["recording"], tables["neurons"]], prefix, studies=AMOUNTS, **options)


def held_out_classes(tables: dict[str, Path], prefix: Path, **options) -> dict[str, Path]:
    return draw_held_out_classes([tables["classes"]], prefix, **options)


def ablations(tables: dict[str, Path], prefix: Path, **options) -> dict[str, Path]:
    below = [tables["clusterings"], tables["clusterings_drift"]]
    return draw_ablations([tables["augmentation"], tables["architecture"]], prefix, clustering_csvs=below, **options)


def fine_tuning(tables: dict[str, Path], prefix: Path, **options) -> dict[str, Path]:
    return draw_fine_tuning(tables["tuning"], prefix, **options)


FIGURES: dict[str, Callable[..., dict[str, Path]]] = {
    draw.__name__: draw for draw in (training_data, held_out_classes, ablations, fine_tuning)
}


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_drawn_alike_every_time_and_names_no_number_of_the_paper(name, tables, tmp_path) -> None:
    written = FIGURES[name](tables, tmp_path / name, tier="quick")
    assert set(written) == {"png", "pdf", "csv"} and verify_tree(tmp_path).ok
    assert written["png"].stat().st_size > 10_000 and written["pdf"].stat().st_size > 5_000
    again = FIGURES[name](tables, tmp_path / "again", tier="quick")
    assert all(written[ending].read_bytes() == again[ending].read_bytes() for ending in written)
    drawn = pd.read_csv(written["csv"], low_memory=False)
    assert NOT_AVAILABLE in set(drawn["paper"])


def test_the_means_that_are_drawn_are_those_of_the_table(tables, tmp_path) -> None:
    drawn = pd.read_csv(training_data(tables, tmp_path / "figure")["csv"], low_memory=False)
    means = drawn[drawn["table"] == "means"].set_index(["study", "measure", "variant"])
    own = pd.read_csv(tables["recording"])
    own = own[(own["rule"] == "spikeinterface") & (own["variant"] == "four")]
    point = means.loc[("recording", "accuracy", "four")]
    assert point["mean"] == pytest.approx(own["accuracy"].mean())
    assert (point["n"], point["amount"], point["axis"]) == (8, 1.3, "minutes")
    of_recordings = means.loc[("recording", "ari", "four")]
    assert of_recordings["n"] == 2 and of_recordings["mean"] == pytest.approx(own["ari"].mean())
    assert means.loc[("neurons", "accuracy", "two"), "amount"] == 2


def test_an_interval_agrees_with_scipys() -> None:
    values = np.random.default_rng(4).normal(0.5, 0.2, 30)
    ours = bootstrap(values)
    theirs = reference_bootstrap((values,), np.mean, n_resamples=9999, method="percentile", rng=1).confidence_interval
    assert ours.mean == pytest.approx(values.mean()) and ours.n == 30
    assert ours.low == pytest.approx(theirs.low, abs=0.01) and ours.high == pytest.approx(theirs.high, abs=0.01)
    assert bootstrap(np.array([0.3, np.nan])).n == 1 and np.isnan(bootstrap(np.array([0.3])).low)
    assert np.isnan(bootstrap(np.empty(0)).mean)


def test_an_item_counts_once_however_often_the_training_was_repeated() -> None:
    table = study_table("s", {"all": {"level": 0.9}, "other": {"level": 0.8}}, repeats=3)
    assert items(table, "accuracy").shape == (8, 2) and items(table, "ari").shape == (2, 2)
    own = table[(table["rule"] == "spikeinterface") & (table["variant"] == "all")]
    expected = own.groupby(["recording", "unit_id"])["accuracy"].mean().to_numpy()
    assert np.allclose(np.sort(items(table, "accuracy")["all"]), np.sort(expected))


def test_differences_are_between_the_same_units() -> None:
    table = study_table("s", {"all": {"level": 0.9}, "other": {"level": 0.8}})
    other = table["variant"] == "other"
    base = table.loc[~other, "accuracy"].to_numpy()
    table.loc[other, "accuracy"] = base - 0.125
    shuffled = table.sample(frac=1, random_state=1).sort_values("variant")
    away = differences(shuffled, "accuracy")
    assert np.allclose(away["other"], -0.125) and np.allclose(away["all"], 0)


def test_classes_are_told_by_the_cell(tables, tmp_path) -> None:
    drawn = pd.read_csv(held_out_classes(tables, tmp_path / "figure")["csv"], low_memory=False)
    means = drawn[drawn["table"] == "means"]
    assert set(means["cell_class"]) == {"excitatory", "inhibitory"} and set(means["n"]) == {4}
    assert means.groupby("variant")["neurons"].first().to_dict() == {
        "all cells": 6, "without pyramidal cells": 4, "without interneurons": 2,
    }  # fmt: skip


def test_ablations_without_other_clusterings_and_with_one_variant_are_drawn(tables, tmp_path) -> None:
    write_csv(tmp_path / "one.csv", study_table("s", {"all": {"level": 0.9}}))
    written = draw_ablations([tmp_path / "one.csv"], tmp_path / "figure")
    assert "clusterings" not in set(pd.read_csv(written["csv"], low_memory=False)["table"])


def test_every_clustering_of_the_table_has_its_place_and_its_mean(tables, tmp_path, monkeypatch) -> None:
    figures = caught(monkeypatch, ablations_figure)
    ablations(tables, tmp_path / "figure")
    axes = next(axes for axes in figures[0].findobj(Axes) if axes.get_images())
    table = pd.read_csv(tables["clusterings"]).query("denoising == 'off'").set_index(["reducer", "clusterer"])
    expected = [f"{table.loc[(r, c), 'ari']:.2f}" for r in REDUCERS for c in CLUSTERERS]
    assert [text.get_text() for text in axes.texts][: len(expected)] == expected
    labels = dict(zip(CLUSTERERS, (label.get_text() for label in axes.get_xticklabels()), strict=True))
    assert {name for name, label in labels.items() if label.startswith("told")} == set(CLUSTERERS[3:])
    assert (studied.REDUCERS, studied.CLUSTERERS) == (REDUCERS, CLUSTERERS)


def test_measures_that_nobody_knows_are_drawn_as_nothing(tables, tmp_path) -> None:
    for name in ("recording", "augmentation", "tuning"):
        table = pd.read_csv(tables[name])
        write_csv(tmp_path / f"{name}.csv", table.assign(detection_f1=np.nan, ari=np.nan))
    draw_training_data([tmp_path / "recording.csv"], tmp_path / "a", studies=AMOUNTS)
    draw_ablations([tmp_path / "augmentation.csv"], tmp_path / "b")
    draw_fine_tuning(tmp_path / "tuning.csv", tmp_path / "c")


@pytest.mark.parametrize("name", FIGURES)
def test_a_missing_column_is_named(name, tables, tmp_path) -> None:
    broken = {}
    for table, path in tables.items():
        broken[table] = tmp_path / f"{table}.csv"
        write_csv(broken[table], pd.read_csv(path).drop(columns="accuracy", errors="ignore"))
    with pytest.raises(FormatError, match="no column accuracy"):
        FIGURES[name](broken, tmp_path / "figure")


def test_what_is_not_known_is_refused(tables, tmp_path) -> None:
    with pytest.raises(FormatError, match="the study neurons"):
        draw_training_data([tables["neurons"]], tmp_path / "figure", studies={"recording": AMOUNTS["recording"]})
    write_csv(tmp_path / "odd.csv", pd.read_csv(tables["clusterings"]).assign(reducer="odd"))
    with pytest.raises(FormatError, match="the reducer odd"):
        draw_ablations([tables["augmentation"]], tmp_path / "figure", clustering_csvs=[tmp_path / "odd.csv"])
