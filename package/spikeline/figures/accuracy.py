"""The figure ``accuracy``: how well each sorter recovers the true units, by two rules, and against their SNR."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from spikeline.artifacts import Provenance
from spikeline.figures.saving import save_figure
from spikeline.figures.style import MILLIMETRE, figure_style, mark_scale, panel_letter, sorter_colour
from spikeline.figures.tables import read_table

__all__ = ["accuracy_by_snr", "draw_accuracy"]

_RULES = {"spikeinterface": "SpikeInterface rule", "simsort": "SimSort rule"}
# Not the sorters' colours: told apart by lightness.
_COUNTS = {
    "well_detected": ("well detected", "#222222"),
    "false_positive": ("false positive", "#A6192E"),
    "redundant": ("redundant", "#7A8B99"),
    "over_merged": ("over-merged", "#D8CFA8"),
}
_MARKERS = "osD^vPX<>*"


def _beside(count: int, width: float) -> np.ndarray:
    """Offsets that spread ``count`` points evenly over ``width``, in the order of the points: no chance in a figure."""
    return np.zeros(count) if count < 2 else np.linspace(-width / 2, width / 2, count)


def accuracy_by_snr(scores: pd.DataFrame, edges: Sequence[float]) -> pd.DataFrame:
    """Mean accuracy of the units of each SNR class: sorter, rule, snr_low, snr_high (NaN: open), n_units, accuracy."""
    bounds = [*edges, np.inf]
    rows = []
    for (sorter, rule), group in scores.dropna(subset=["snr"]).groupby(["sorter", "rule"]):
        for low, high in itertools.pairwise(bounds):
            units = group[(group["snr"] >= low) & (group["snr"] < high)]
            if len(units):
                rows.append(
                    (sorter, rule, low, high if np.isfinite(high) else np.nan, len(units), units["accuracy"].mean())
                )
    return pd.DataFrame(rows, columns=["sorter", "rule", "snr_low", "snr_high", "n_units", "accuracy"])


def _draw_by_sorter(axes: Axes, scores: pd.DataFrame, sorters: list[str], well_detected: float) -> None:
    rules = [rule for rule in _RULES if rule in set(scores["rule"])]
    for place, sorter in enumerate(sorters):
        colour = sorter_colour(sorter, sorters)
        for side, rule in enumerate(rules):
            units = scores[(scores["sorter"] == sorter) & (scores["rule"] == rule)].sort_values(
                ["snr", "recording", "unit_id"]
            )
            centre = place + (side - (len(rules) - 1) / 2) * 0.42
            x = centre + _beside(len(units), 0.22)
            face = colour if rule == "spikeinterface" else "white"
            axes.scatter(
                x,
                units["accuracy"],
                s=9,
                facecolors=face,
                edgecolors=colour,
                linewidths=0.7,
                alpha=0.85,
                zorder=3,
                clip_on=False,
            )
            if len(units):
                mean = units["accuracy"].mean()
                axes.hlines(mean, centre - 0.17, centre + 0.17, color="#222222", linewidth=1.4, zorder=4)
    axes.axhline(well_detected, color="#AAAAAA", linewidth=0.6, linestyle=(0, (3, 2)), zorder=0)
    axes.set(ylim=(-0.02, 1.02), xlim=(-0.6, len(sorters) - 0.4), ylabel="accuracy per true unit")
    axes.set_xticks(
        range(len(sorters)),
        [name.replace("_", " ") for name in sorters],
        rotation=28,
        ha="right",
        rotation_mode="anchor",
    )


def _draw_by_snr(axes: Axes, scores: pd.DataFrame, sorters: list[str], edges: Sequence[float]) -> None:
    rule = "spikeinterface" if "spikeinterface" in set(scores["rule"]) else str(scores["rule"].iloc[0])
    one_rule = scores[scores["rule"] == rule]
    classes = accuracy_by_snr(one_rule, edges)
    top = max(float(one_rule["snr"].max(skipna=True) or 0), max(edges) + 1) * 1.05
    for place, sorter in enumerate(sorters):
        units = one_rule[one_rule["sorter"] == sorter]
        colour, marker = sorter_colour(sorter, sorters), _MARKERS[place % len(_MARKERS)]
        axes.scatter(
            units["snr"],
            units["accuracy"],
            s=13,
            color=colour,
            marker=marker,
            alpha=0.85,
            linewidths=0,
            zorder=3,
            clip_on=False,
        )
        for row in classes[classes["sorter"] == sorter].itertuples():
            high = top if np.isnan(row.snr_high) else row.snr_high
            axes.hlines(row.accuracy, row.snr_low, high, color=colour, linewidth=1.0, alpha=0.55, zorder=2)
    for edge in edges:
        if edge > 0:
            axes.axvline(edge, color="#DDDDDD", linewidth=0.6, zorder=0)
    axes.set(
        ylim=(-0.02, 1.02),
        xlim=(0, top),
        xlabel="signal-to-noise ratio of the unit",
        ylabel=f"accuracy, {_RULES.get(rule, rule)}",
    )


def _draw_counts(axes: Axes, counts: pd.DataFrame, sorters: list[str]) -> None:
    width = 0.8 / len(_COUNTS)
    for i, (column, (label, colour)) in enumerate(_COUNTS.items()):
        values = [counts.loc[counts["sorter"] == sorter, column].sum() for sorter in sorters]
        axes.bar(
            np.arange(len(sorters)) + (i - (len(_COUNTS) - 1) / 2) * width,
            values,
            width * 0.9,
            color=colour,
            label=label,
        )
    for place, sorter in enumerate(sorters):
        of_sorter = counts[counts["sorter"] == sorter]
        axes.hlines(of_sorter["units_true"].sum(), place - 0.44, place + 0.44, color="#222222", linewidth=1.0)
        axes.hlines(
            of_sorter["units_found"].sum(),
            place - 0.44,
            place + 0.44,
            color="#222222",
            linewidth=0.9,
            linestyle=(0, (1.5, 1.2)),
        )
    axes.set(xlim=(-0.6, len(sorters) - 0.4), ylabel="units", ylim=(0, None))
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    axes.set_xticks(
        range(len(sorters)),
        [name.replace("_", " ") for name in sorters],
        rotation=28,
        ha="right",
        rotation_mode="anchor",
    )


def _legends(panels: np.ndarray, sorters: list[str], rules: set[str]) -> None:
    grey = "#555555"
    by_rule = [
        Line2D(
            [],
            [],
            marker="o",
            linestyle="",
            markersize=3.5,
            markeredgecolor=grey,
            markerfacecolor=grey if rule == "spikeinterface" else "white",
            label=label,
        )
        for rule, label in _RULES.items()
        if rule in rules
    ]
    by_rule.append(Line2D([], [], color="#222222", linewidth=1.4, label="mean"))
    by_sorter = [
        Line2D(
            [],
            [],
            marker=_MARKERS[i % len(_MARKERS)],
            linestyle="",
            markersize=3.8,
            markeredgewidth=0,
            color=sorter_colour(name, sorters),
            label=name,
        )
        for i, name in enumerate(sorters)
    ]
    by_count = [
        Line2D([], [], marker="s", linestyle="", markersize=4, markeredgewidth=0, color=colour, label=label)
        for label, colour in _COUNTS.values()
    ]
    by_count += [
        Line2D([], [], color="#222222", linewidth=1.0, label="true units"),
        Line2D([], [], color="#222222", linewidth=0.9, linestyle=(0, (1.5, 1.2)), label="found units"),
    ]
    for panel, handles in zip(panels, (by_rule, by_sorter, by_count), strict=True):
        panel.legend(
            handles=handles,
            loc="lower left",
            bbox_to_anchor=(0, 1.02),
            ncols=2 if len(handles) > 3 else 1,
            columnspacing=0.8,
            handletextpad=0.3,
            labelspacing=0.25,
            fontsize=6,
        )


def draw_accuracy(
    scores_csv: str | Path,
    counts_csv: str | Path,
    out_prefix: str | Path,
    *,
    snr_edges: Sequence[float] = (0.0, 3.0, 5.0, 8.0),
    well_detected_accuracy: float = 0.8,
    tier: str = "standard",
    most_rows: int = 4,
    provenance: Provenance | None = None,
) -> dict[str, Path]:
    """Draw accuracy by sorter under two rules (a), against SNR (b), and the units found, lost and made up (c).

    One row of panels per recording; with more than ``most_rows`` recordings, one row for all of them together.

    Parameters
    ----------
    scores_csv
        Columns recording, sorter, unit_id, rule, accuracy, snr (and more): one row per true unit, sorter and rule.
    counts_csv
        Columns recording, sorter, units_true, units_found, well_detected, false_positive, redundant, over_merged.
    out_prefix
        Where the figure goes, without an ending.
    snr_edges
        Lower edges of the SNR classes whose mean is drawn.
    well_detected_accuracy
        Where the line of well detected units is drawn.
    tier
        The run's tier; ``quick`` is marked on the figure.
    most_rows
        Most recordings drawn apart.
    provenance
        For the manifests.

    Raises
    ------
    FormatError
        If a table is missing, empty or lacks a column.
    """
    scores = read_table(scores_csv, ["recording", "sorter", "unit_id", "rule"], ["accuracy", "snr"])
    counts = read_table(counts_csv, ["recording", "sorter"], ["units_true", "units_found", *_COUNTS])
    # A sorter that found nothing still stands in its place: the order is by name and the same in every panel.
    sorters = sorted(set(scores["sorter"]) | set(counts["sorter"]))
    recordings = sorted(set(scores["recording"]) | set(counts["recording"]))
    apart = len(recordings) <= most_rows
    rows = [[name] for name in recordings] if apart else [recordings]
    with figure_style():
        figure = Figure(figsize=(180 * MILLIMETRE, (14 + 58 * len(rows)) * MILLIMETRE))
        grid = figure.subplots(len(rows), 3, squeeze=False, width_ratios=[1.25, 1.0, 1.1])
        for panels, names in zip(grid, rows, strict=True):
            of_row = scores[scores["recording"].isin(names)]
            if len(of_row):
                _draw_by_sorter(panels[0], of_row, sorters, well_detected_accuracy)
                _draw_by_snr(panels[1], of_row, sorters, snr_edges)
            _draw_counts(panels[2], counts[counts["recording"].isin(names)], sorters)
            units = len(of_row.drop_duplicates(["recording", "unit_id"]))
            title = names[0].replace("_", " ") if apart else f"{len(names)} recordings"
            panels[0].annotate(
                f"{title}\n{units} true units",
                xy=(0, 0.5),
                xycoords="axes fraction",
                xytext=(-30, 0),
                textcoords="offset points",
                rotation=90,
                ha="right",
                va="center",
                multialignment="center",
                fontsize=7.5,
            )
        _legends(grid[0], sorters, set(scores["rule"]))
        for panel, letter in zip(grid[0], "abc", strict=True):
            panel_letter(panel, letter)
        mark_scale(figure, tier)
        return save_figure(figure, out_prefix, {"scores": scores, "counts": counts}, provenance=provenance)
