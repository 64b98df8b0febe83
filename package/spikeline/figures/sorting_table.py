"""The figure ``sorting_table``: accuracy, recall and precision of every sorter on every recording, by both rules."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from spikeline.artifacts import Provenance
from spikeline.figures.reference import NOT_AVAILABLE
from spikeline.figures.saving import save_figure
from spikeline.figures.style import MILLIMETRE, figure_style, mark_scale, panel_letter
from spikeline.figures.tables import read_table

__all__ = ["accuracy_margins", "draw_sorting_table", "mean_scores"]

MEASURES = ("accuracy", "recall", "precision")
_RULES = {"spikeinterface": "SpikeInterface rule", "simsort": "SimSort rule"}
_SHADES = LinearSegmentedColormap.from_list("accuracy", ["#FFFFFF", "#CFE3F1", "#6FA8D2", "#1F5F99"])
_ALL = "all tetrodes"


def mean_scores(scores: pd.DataFrame) -> pd.DataFrame:
    """Mean over the true units of each recording: recording, sorter, rule, n_units and `MEASURES`.

    An undefined precision (nothing found) counts as 0: a sorter gains nothing by finding less.
    """
    known = scores.assign(**{measure: scores[measure].fillna(0.0) for measure in MEASURES})
    grouped = known.groupby(["recording", "sorter", "rule"], sort=False)
    return grouped[list(MEASURES)].mean().assign(n_units=grouped.size()).reset_index()


def accuracy_margins(
    scores: pd.DataFrame,
    simsort: str,
    peers: Collection[str],
    tetrodes: Collection[str],
    rule: str = "spikeinterface",
) -> pd.DataFrame:
    """Accuracy of SimSort minus that of the best other sorter.

    Parameters
    ----------
    scores
        One row per true unit, sorter and rule.
    simsort
        The sorter's name in the table.
    peers
        Names of the sorters that are not SimSort.
    tetrodes
        Recordings that count.
    rule
        By which sortings are compared with the truth: ``spikeinterface`` or ``simsort``.

    Returns
    -------
    pandas.DataFrame
        recording, accuracy, best_peer, accuracy_of_best_peer, margin: a row per tetrode, and one for the units of all
        of them together; empty if SimSort or every peer is missing.
    """
    own = scores[(scores["rule"] == rule) & scores["recording"].isin(list(tetrodes))]
    if simsort not in set(own["sorter"]) or not set(own["sorter"]) & set(peers):
        return pd.DataFrame(columns=["recording", "accuracy", "best_peer", "accuracy_of_best_peer", "margin"])
    rows = []
    for name, part in [*own.groupby("recording", sort=False), (_ALL, own)]:
        means = part.groupby("sorter")["accuracy"].mean()
        others = means[means.index.isin(list(peers))]
        best = others.idxmax()
        rows.append((name, means[simsort], best, others[best], means[simsort] - others[best]))
    return pd.DataFrame(rows, columns=["recording", "accuracy", "best_peer", "accuracy_of_best_peer", "margin"])


def _draw_rule(
    axes: Axes, means: pd.DataFrame, recordings: Sequence[str], sorters: Sequence[str], units: dict[str, int]
) -> None:
    width = len(sorters) + 0.35
    for block, measure in enumerate(MEASURES):
        table = means.pivot(index="recording", columns="sorter", values=measure).reindex(recordings, columns=sorters)
        for row, recording in enumerate(recordings):
            values = table.loc[recording].to_numpy(float)
            for column, value in enumerate(values):
                x = block * width + column
                if not np.isfinite(value):
                    axes.text(x + 0.5, row + 0.5, "–", ha="center", va="center", fontsize=6, color="#888888")
                    continue
                axes.add_patch(Rectangle((x, row), 1, 1, facecolor=_SHADES(value), edgecolor="white", linewidth=0.8))
                axes.text(
                    x + 0.5,
                    row + 0.5,
                    f"{value:.2f}",
                    ha="center",
                    va="center",
                    fontsize=5.8,
                    fontweight="bold" if value == np.nanmax(values) and value > 0 else "normal",
                    color="white" if value > 0.72 else "#222222",
                )
        axes.text(block * width + len(sorters) / 2, -0.25, measure, ha="center", va="bottom", fontsize=7)
    end = len(MEASURES) * width
    axes.add_patch(
        Rectangle((end, 0), 1.2, len(recordings), facecolor="#F2F2F2", edgecolor="#BBBBBB", hatch="////", linewidth=0.4)
    )
    axes.text(
        end + 0.6,
        len(recordings) / 2,
        f"paper: {NOT_AVAILABLE}",
        rotation=90,
        ha="center",
        va="center",
        fontsize=5.5,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0},
    )
    places = [block * width + column + 0.5 for block in range(len(MEASURES)) for column in range(len(sorters))]
    names = [name.replace("_", " ") for name in sorters] * len(MEASURES)
    axes.set_xticks(places, names, rotation=40, ha="right", rotation_mode="anchor", fontsize=6)
    labels = [f"{name.replace('_', ' ')} ({units[name]})" for name in recordings]
    axes.set_yticks(np.arange(len(recordings)) + 0.5, labels, fontsize=6)
    axes.set(xlim=(0, end + 1.25), ylim=(len(recordings), -0.05))
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def draw_sorting_table(
    scores_csv: Sequence[str | Path],
    out_prefix: str | Path,
    *,
    simsort: str = "simsort",
    peers: Collection[str] = (),
    tetrodes: Collection[str] = (),
    tier: str = "standard",
    provenance: Provenance | None = None,
) -> dict[str, Path]:
    """Draw means over true units as a table of numbers, one part per rule, and print SimSort's margin.

    Parameters
    ----------
    scores_csv
        Tables with the columns recording, sorter, unit_id, rule, accuracy, recall, precision.
    out_prefix
        Where the figure goes, without an ending.
    simsort, peers, tetrodes
        See `accuracy_margins`.
    tier
        The run's tier; ``quick`` is marked on the figure.
    provenance
        For the manifests.

    Raises
    ------
    FormatError
        If a table is missing, empty or lacks a column.
    """
    names = ["recording", "sorter", "unit_id", "rule"]
    scores = pd.concat([read_table(path, names, MEASURES) for path in scores_csv], ignore_index=True)
    means = mean_scores(scores)
    margins = accuracy_margins(scores, simsort, peers, tetrodes)
    recordings, sorters = list(dict.fromkeys(scores["recording"])), list(dict.fromkeys(scores["sorter"]))
    sorters.sort(key=lambda name: (name not in (simsort,), name in peers, name))
    units = means.groupby("recording")["n_units"].max().to_dict()
    with figure_style():
        height = 16 + 2 * (15 + 6.5 * len(recordings))
        figure = Figure(figsize=(180 * MILLIMETRE, height * MILLIMETRE))
        panels = figure.subplots(len(_RULES), 1)
        for axes, (rule, title), letter in zip(panels, _RULES.items(), "ab", strict=True):
            _draw_rule(axes, means[means["rule"] == rule], recordings, sorters, units)
            if rule == "spikeinterface" and len(margins):
                last = margins.iloc[-1]
                other = f"{last['best_peer']}, the best other"
                title += f"   ({simsort} minus {other}, all simulated tetrodes: {last['margin']:+.3f})"
            axes.set_title(title, pad=14)
            panel_letter(axes, letter)
        mark_scale(figure, tier)
        tables = {"means": means.assign(paper=NOT_AVAILABLE), "margins": margins}
        return save_figure(figure, out_prefix, tables, provenance=provenance)
