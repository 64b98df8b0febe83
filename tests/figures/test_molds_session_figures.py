"""The figures of MoLDS on neural sessions: what is drawn, what is marked, what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import matplotlib.text
import pandas as pd
import pytest
from matplotlib.figure import Figure

from spikeline.artifacts import verify_tree, write_csv
from spikeline.errors import FormatError
from spikeline.figures import (
    draw_molds_clusters,
    draw_molds_prediction,
    draw_molds_selection,
    draw_molds_stability,
)
from tests.figures.neural_tables import write_neural_tables

NEEDED = {
    "selection": ("selection", "facts"),
    "clusters": ("labels", "methods", "responses", "similarity", "facts"),
    "prediction": ("prediction", "delays", "facts"),
    "stability": ("labels", "subsets", "single_trials", "facts"),
}
DRAW: dict[str, Callable[..., dict[str, Path]]] = {
    "selection": draw_molds_selection,
    "clusters": draw_molds_clusters,
    "prediction": draw_molds_prediction,
    "stability": draw_molds_stability,
}


def drawn(name: str, tables: dict[str, Path], prefix: Path, **options: object) -> dict[str, Path]:
    return DRAW[name](*(tables[table] for table in NEEDED[name]), prefix, **({"session": "day"} | options))


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_neural_tables(tmp_path_factory.mktemp("neural"))


@pytest.fixture
def texts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Everything that is written on figures that are saved."""
    found: list[str] = []
    save = Figure.savefig

    def kept(figure: Figure, *arguments: object, **options: object) -> None:
        found.extend(text.get_text() for text in figure.findobj(matplotlib.text.Text))
        save(figure, *arguments, **options)

    monkeypatch.setattr(Figure, "savefig", kept)
    return found


@pytest.mark.parametrize("name", DRAW)
def test_a_figure_is_drawn_alike_every_time_and_a_simulated_one_says_so(name, tables, tmp_path, texts) -> None:
    written = drawn(name, tables, tmp_path / name, simulated=True, tier="quick")
    assert "SIMULATED" in texts and set(written) == {"png", "pdf", "csv"} and verify_tree(tmp_path).ok
    assert written["png"].stat().st_size > 10_000 and written["pdf"].stat().st_size > 5_000
    again = drawn(name, tables, tmp_path / "again", simulated=True, tier="quick")
    assert all(written[ending].read_bytes() == again[ending].read_bytes() for ending in written)
    texts.clear()
    drawn(name, tables, tmp_path / "real")
    assert "SIMULATED" not in texts and any(text.startswith("day: 48 + 16 + 16 trials") for text in texts)


def test_a_published_number_is_drawn_where_it_belongs_and_nowhere_else(tables, tmp_path, texts) -> None:
    drawn("selection", tables, tmp_path / "a")
    assert not any("Gong" in text or "simulated:" in text for text in texts)
    drawn("selection", tables, tmp_path / "b", published=(3, "Gong and Saxena, area 2"))
    assert "Gong and Saxena, area 2: 3" in texts
    drawn("selection", tables, tmp_path / "c", simulated=True, true_components=3)
    assert "simulated: 3" in texts


@pytest.mark.parametrize("name", DRAW)
@pytest.mark.parametrize(("start", "words"), [("tensor", "Tensor-EM"), ("short_runs", "EM after short runs")])
def test_a_fit_is_called_by_where_it_started(name, start, words, tmp_path, texts) -> None:
    drawn(name, write_neural_tables(tmp_path, start=start), tmp_path / "figure")
    assert any(words in text for text in texts)
    assert start == "tensor" or not any("Tensor-EM" in text for text in texts)


@pytest.mark.parametrize("name", DRAW)
def test_an_unknown_start_is_named(name, tmp_path) -> None:
    with pytest.raises(FormatError, match="started from 'guesses'"):
        drawn(name, write_neural_tables(tmp_path, start="guesses"), tmp_path / "figure")


def test_a_table_without_our_own_fit_is_named(tables, tmp_path) -> None:
    table = pd.read_csv(tables["prediction"])
    write_csv(tmp_path / "others.csv", table[table["method"] != "tensor_em"])
    with pytest.raises(FormatError, match="no row of the method tensor_em"):
        drawn("prediction", tables | {"prediction": tmp_path / "others.csv"}, tmp_path / "figure")


def test_one_component_and_directions_that_vary_without_steps(tmp_path) -> None:
    for components, continuous in ((1, False), (8, True)):
        own = tmp_path / str(components)
        own.mkdir()
        made = write_neural_tables(own, components=components, continuous=continuous)
        for name in DRAW:
            drawn(name, made, own / f"figure_{name}")


@pytest.mark.parametrize(
    ("name", "table", "column"),
    [
        ("selection", "selection", "validation_bic"),
        ("clusters", "similarity", "cosine"),
        ("prediction", "delays", "validation_r2"),
        ("stability", "subsets", "ari"),
    ],
)
def test_a_missing_column_is_named(name, table, column, tables, tmp_path) -> None:
    write_csv(tmp_path / "broken.csv", pd.read_csv(tables[table]).drop(columns=column))
    with pytest.raises(FormatError, match=f"no column {column}"):
        drawn(name, tables | {table: tmp_path / "broken.csv"}, tmp_path / "figure")


def test_unknown_methods_and_missing_facts_are_named(tables, tmp_path) -> None:
    write_csv(tmp_path / "odd.csv", pd.read_csv(tables["prediction"]).replace("switching", "guessing"))
    with pytest.raises(FormatError, match="the method guessing"):
        drawn("prediction", tables | {"prediction": tmp_path / "odd.csv"}, tmp_path / "figure")
    facts = pd.read_csv(tables["facts"])
    write_csv(tmp_path / "facts.csv", facts[facts["fact"] != "units"])
    with pytest.raises(FormatError, match="no fact units"):
        drawn("stability", tables | {"facts": tmp_path / "facts.csv"}, tmp_path / "figure")
