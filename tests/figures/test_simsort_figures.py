"""What the figures of SimSort make of their tables beyond drawing them."""

from __future__ import annotations

import pandas as pd
import pytest

from spikeline.artifacts import write_csv
from spikeline.errors import FormatError
from spikeline.figures import detection as detection_figure
from spikeline.figures import detection_excerpt as excerpt_figure
from spikeline.figures import (
    draw_detection,
    draw_detection_excerpt,
    draw_embedding,
    draw_identification,
    draw_sorting_table,
)
from spikeline.figures.detection import best_of_each, simsort_default
from spikeline.figures.reference import NOT_AVAILABLE
from spikeline.figures.sorting_table import accuracy_margins, mean_scores
from tests.figures.caught import caught


def test_the_best_threshold_is_chosen_per_recording_and_the_default_is_not() -> None:
    rows = [
        ("a", "simsort", 0.3, True, 0.6),
        ("a", "simsort", 0.5, False, 0.8),
        ("b", "simsort", 0.3, True, 0.9),
        ("b", "simsort", 0.5, False, float("nan")),
    ]
    scores = pd.DataFrame(rows, columns=["recording", "detector", "threshold", "default", "f1"])
    assert best_of_each(scores).set_index("recording")["threshold"].to_dict() == {"a": 0.5, "b": 0.3}
    assert simsort_default(scores)["f1"].tolist() == [0.6, 0.9]


def _scores() -> pd.DataFrame:
    """Two recordings of 2 and 1 units; by SpikeInterface's rule simsort has 0.9, 0.7, 0.2 and peers less or more."""
    accuracy = {"simsort": (0.9, 0.7, 0.2), "small": (1.0, 1.0, 1.0), "one": (0.6, 0.6, 0.6), "two": (0.9, 0.5, 0.0)}
    rows = []
    for sorter, values in accuracy.items():
        for (recording, unit), value in zip((("a", 0), ("a", 1), ("b", 0)), values, strict=True):
            rows.append((recording, sorter, unit, "spikeinterface", value, value, value or float("nan")))
            rows.append((recording, sorter, unit, "simsort", 1.0, 1.0, 1.0))
    columns = ["recording", "sorter", "unit_id", "rule", "accuracy", "recall", "precision"]
    return pd.DataFrame(rows, columns=columns)


def test_the_margin_is_over_the_best_sorter_that_is_not_simsort() -> None:
    margins = accuracy_margins(_scores(), "simsort", ["one", "two"], ["a", "b"]).set_index("recording")
    assert margins["best_peer"].to_dict() == {"a": "two", "b": "one", "all tetrodes": "one"}
    expected = {"a": 0.8 - 0.7, "b": 0.2 - 0.6, "all tetrodes": 0.6 - 0.6}
    assert margins["margin"].to_dict() == pytest.approx(expected)
    assert accuracy_margins(_scores(), "simsort", ["one", "two"], ["a"])["margin"].iloc[-1] == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("simsort", "peers", "tetrodes"), [("absent", ["one"], ["a"]), ("simsort", [], ["a"]), ("simsort", ["one"], [])]
)
def test_without_simsort_or_peer_or_tetrode_there_is_no_margin(simsort, peers, tetrodes) -> None:
    assert accuracy_margins(_scores(), simsort, peers, tetrodes).empty


def test_a_sorter_gains_nothing_by_finding_less() -> None:
    means = mean_scores(_scores()).set_index(["recording", "sorter", "rule"])
    assert means.loc[("b", "two", "spikeinterface"), "precision"] == 0
    assert means.loc[("a", "one", "spikeinterface"), "n_units"] == 2


def test_the_sorting_table_joins_tables_and_names_no_number_of_the_paper(tmp_path) -> None:
    write_csv(tmp_path / "scores.csv", _scores())
    write_csv(tmp_path / "real.csv", _scores().assign(recording="real one"))
    written = draw_sorting_table(
        [tmp_path / "scores.csv", tmp_path / "real.csv"], tmp_path / "table", peers=["one", "two"], tetrodes=["a", "b"]
    )
    drawn = pd.read_csv(written["csv"])
    means, margins = (drawn[drawn["table"] == name] for name in ("means", "margins"))
    assert set(means["recording"]) == {"a", "b", "real one"}
    assert set(means["paper"]) == {NOT_AVAILABLE}
    assert margins["recording"].tolist() == ["a", "b", "all tetrodes"]


def test_one_recording_without_large_units_is_drawn(tables, tmp_path) -> None:
    scores = pd.read_csv(tables["detection"]["scores"])
    nothing = scores["recording"] == "tetrode"
    scores.loc[nothing, ["precision", "recall", "f1"]], scores.loc[nothing, ["n", "n_units"]] = float("nan"), 0
    write_csv(tmp_path / "scores.csv", scores)
    written = draw_detection(tmp_path / "scores.csv", tables["detection"]["units"], tmp_path / "figure")
    drawn = pd.read_csv(written["csv"])
    assert set(drawn.loc[drawn["table"] == "scores", "paper"]) == {NOT_AVAILABLE}


@pytest.mark.parametrize("lowest", [0.03, 0.62])
def test_no_recall_is_cut_off_and_the_mean_says_of_how_many_it_is(lowest, tables, tmp_path, monkeypatch) -> None:
    scores = pd.read_csv(tables["detection"]["scores"])
    scores.loc[scores.index[0], "recall"] = lowest
    alone = scores.assign(recording="nothing to find", recall=float("nan"), f1=float("nan"), n=0, n_units=0)
    write_csv(tmp_path / "scores.csv", pd.concat([scores, alone]))
    figures = caught(monkeypatch, detection_figure)
    draw_detection(tmp_path / "scores.csv", tables["detection"]["units"], tmp_path / "figure")
    axes = figures[0].axes[0]
    assert axes.get_xlim()[0] < min(lowest, 0.5) and axes.get_title(loc="left") == "thick: mean of 2 recordings"


def test_a_detector_that_is_silent_in_the_part_keeps_its_row(tables, tmp_path, monkeypatch) -> None:
    paths = dict(tables["detection"])
    events = pd.read_csv(paths["events"])
    silent = (events["detector"] == "simsort") & (events.index > 0)
    write_csv(tmp_path / "events.csv", events[~silent])
    figures = caught(monkeypatch, excerpt_figure)
    files = (paths["excerpt"], paths["probability"], paths["spikes"], tmp_path / "events.csv")
    draw_detection_excerpt(*files, tmp_path / "figure", zoom_ms=80.0)
    rows = {
        place: sum(len(line.get_xdata()) for line in figures[0].axes[5].lines if set(line.get_ydata()) == {place})
        for place in (-1, -2)
    }
    assert rows[-1] == 0 and rows[-2] > 0  # the network's, and the threshold's


def test_an_excerpt_without_spikes_and_detections_is_drawn(tables, tmp_path) -> None:
    paths = dict(tables["detection"])
    for name in ("spikes", "events"):
        write_csv(tmp_path / f"{name}.csv", pd.read_csv(paths[name]).iloc[:0])
        paths[name] = tmp_path / f"{name}.csv"
    order = ("excerpt", "probability", "spikes", "events")
    assert draw_detection_excerpt(*(paths[name] for name in order), tmp_path / "figure")["png"].stat().st_size > 10_000


def test_what_is_not_known_is_refused(tables, tmp_path) -> None:
    paths = tables["detection"]
    write_csv(tmp_path / "events.csv", pd.read_csv(paths["events"]).assign(kind="odd"))
    with pytest.raises(FormatError, match="the kind odd"):
        draw_detection_excerpt(
            paths["excerpt"], paths["probability"], paths["spikes"], tmp_path / "events.csv", tmp_path / "figure"
        )
    scores = pd.read_csv(tables["identification"]["scores"])
    write_csv(tmp_path / "scores.csv", scores.assign(clustering="odd"))
    with pytest.raises(FormatError, match="the clustering odd"):
        draw_identification(tmp_path / "scores.csv", tmp_path / "figure")


def test_a_unit_without_waveform_and_no_clusters_are_drawn(tables, tmp_path) -> None:
    paths = tables["identification"]
    waveforms = pd.read_csv(paths["waveforms"])
    waveforms.loc[waveforms["unit_id"] == "u1", ["mean", "sd"]] = float("nan")
    write_csv(tmp_path / "waveforms.csv", waveforms.assign(snr=float("nan")))
    write_csv(tmp_path / "outlines.csv", pd.read_csv(paths["outlines"]).iloc[:0])
    files = (paths["points"], tmp_path / "outlines.csv", tmp_path / "waveforms.csv")
    assert draw_embedding(*files, tmp_path / "figure")["png"].stat().st_size > 10_000
