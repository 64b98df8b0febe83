"""The figure ``molds_complex``: the tensor stage alone, Tensor-EM, and EM from random mixtures and from the truth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spikeline.artifacts import Provenance
from spikeline.errors import FormatError
from spikeline.figures.molds_scores import AXES, METHODS, log_ticks, medians, read_scores, swept_axis
from spikeline.figures.saving import save_figure
from spikeline.figures.style import MILLIMETRE, figure_style, mark_scale, panel_letter

__all__ = ["draw_molds_complex"]


class _Measure(NamedTuple):
    label: str
    log: bool


_MEASURES = {
    "markov_error": _Measure("Markov error", True),
    "weight_l1": _Measure("weight error (L1)", True),
    "ari": _Measure("adjusted Rand index", False),
    "iterations_near_final": _Measure("EM iterations\nto near the end", False),
}


def draw_molds_complex(
    table_csvs: Sequence[str | Path],
    out_prefix: str | Path,
    *,
    tier: str = "standard",
    provenance: Provenance | None = None,
) -> dict[str, Path]:
    """Draw what each method reaches: a row per experiment, every seed as a dot, or medians along what is varied.

    Parameters
    ----------
    table_csvs
        Score tables of experiments, which may have one cell, or several along one axis.
    out_prefix
        Where the figure goes, without an ending.
    tier
        The run's tier; ``quick`` is marked on the figure.
    provenance
        For the manifests.

    Raises
    ------
    FormatError
        If a table is missing, empty or lacks a column, or none of the methods is in it.
    """
    table = read_scores(list(table_csvs), list(_MEASURES))
    table = table[table["method"].isin(list(METHODS))]
    if table.empty:
        raise FormatError(
            "no row of the tables is of a method that is drawn", f"one of {', '.join(METHODS)}", "make the tables again"
        )
    names = list(dict.fromkeys(table["experiment"]))
    drawn = []
    with figure_style():
        figure = Figure(figsize=(180 * MILLIMETRE, (8 + 50 * len(names)) * MILLIMETRE))
        parts = figure.subfigures(len(names), 1, squeeze=False)[:, 0]
        panels = []
        for part, name in zip(parts, names, strict=True):
            own = table[table["experiment"] == name]
            row = part.subplots(1, len(_MEASURES))
            panels += list(row)
            axis = swept_axis(own)
            for axes, measure in zip(row, _MEASURES, strict=True):
                points = _draw_dots(axes, own, measure) if axis is None else _draw_course(axes, own, measure, axis)
                drawn.append(points.assign(experiment=name, measure=measure))
                _finish(axes, measure, own)
            part.suptitle(_title(own, axis), fontsize=7.5, x=0.01, ha="left")
            if axis is not None:
                part.legend(*row[0].get_legend_handles_labels(), loc="upper right", ncols=len(METHODS), fontsize=6)
        for axes, letter in zip(panels, "abcdefghijklmnopqrstuvwxyz", strict=False):
            panel_letter(axes, letter)
        mark_scale(figure, tier)
        tables = {"medians": pd.concat(drawn, ignore_index=True), "scores": table}
        return save_figure(figure, out_prefix, tables, provenance=provenance)


def _title(own: pd.DataFrame, axis: str | None) -> str:
    facts = {
        "n_components": "K = {:g}", "n_states": "n = {:g}", "trajectories": "N = {:g}", "steps": "T = {:g}",
    }  # fmt: skip
    told = ", ".join(text.format(own[name].iloc[0]) for name, text in facts.items() if name != axis)
    name = str(own["experiment"].iloc[0]).replace("_", " ")
    return f"{name}: {told} ({own['seed'].nunique()} seeds)"


def _draw_dots(axes: Axes, own: pd.DataFrame, measure: str) -> pd.DataFrame:
    methods = [method for method in METHODS if method in set(own["method"])]
    for place, method in enumerate(methods):
        values = own[own["method"] == method].sort_values("seed")[measure].to_numpy(float)
        values = values[np.isfinite(values)]
        aside = np.linspace(-0.18, 0.18, len(values)) if len(values) > 1 else np.zeros(len(values))
        colour = METHODS[method][1]
        axes.scatter(place + aside, values, s=7, color=colour, alpha=0.6, linewidths=0, zorder=2)
        if len(values):
            axes.plot([place - 0.3, place + 0.3], [np.median(values)] * 2, color="#222222", linewidth=1.2, zorder=3)
        elif measure == "iterations_near_final":
            axes.annotate("no EM", (place, 0), xytext=(0, 2), textcoords="offset points", ha="center", fontsize=5)
    axes.set_xticks(
        range(len(methods)), [METHODS[method][0] for method in methods], rotation=40, ha="right", fontsize=6
    )
    axes.set_xlim(-0.6, len(methods) - 0.4)
    return medians(own, ["method"], measure)


def _draw_course(axes: Axes, own: pd.DataFrame, measure: str, axis: str) -> pd.DataFrame:
    points = medians(own, ["method", axis], measure)
    for method, (name, colour) in METHODS.items():
        line = points[(points["method"] == method) & np.isfinite(points["median"])].sort_values(axis)
        if len(line):
            axes.plot(line[axis], line["median"], color=colour, marker="o", markersize=2.5, label=name)
            high = np.where(np.isfinite(line["high"]), line["high"], line["median"])
            axes.fill_between(line[axis], line["low"], high, color=colour, alpha=0.15, linewidth=0)
    values = sorted(own[axis].unique())
    if min(values) > 0 and max(values) / min(values) > 3:
        axes.set_xscale("log")
    log_ticks(axes.xaxis, values)
    axes.set_xlabel(AXES[axis])
    return points


def _finish(axes: Axes, measure: str, own: pd.DataFrame) -> None:
    label, log = _MEASURES[measure]
    axes.set_ylabel(label)
    if log:
        axes.set_yscale("log")
        log_ticks(axes.yaxis)
    elif measure == "ari":
        low = own[measure].min()
        axes.set_ylim(min(0.88, low - 0.05) if np.isfinite(low) else 0, 1.02)
    else:
        axes.set_ylim(bottom=0)
