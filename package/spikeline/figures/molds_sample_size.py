"""The figure ``molds_sample_size``: error of the tensor stage against the number of trajectories."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spikeline.artifacts import Provenance
from spikeline.errors import FormatError
from spikeline.figures.molds_scores import ESTIMATORS, log_ticks, medians, read_scores
from spikeline.figures.saving import save_figure
from spikeline.figures.style import MILLIMETRE, figure_style, mark_scale, panel_letter

__all__ = ["draw_molds_sample_size"]


def draw_molds_sample_size(
    table_csvs: Sequence[str | Path],
    out_prefix: str | Path,
    *,
    tier: str = "standard",
    provenance: Provenance | None = None,
) -> dict[str, Path]:
    """Draw the error against the number of trajectories, a line for each length, a panel for each estimator.

    Parameters
    ----------
    table_csvs
        Score tables of experiments with the methods ``tensor`` and, as a baseline, ``trajectory_ols``.
    out_prefix
        Where the figure goes, without an ending.
    tier
        The run's tier; ``quick`` is marked on the figure.
    provenance
        For the manifests.

    Raises
    ------
    FormatError
        If a table is missing, empty or lacks a column, or has no row of the tensor stage.
    """
    table = read_scores(list(table_csvs), ["markov_error"])
    tensor = table[(table["method"] == "tensor") & table["decomposition"].isin(["smd"])]
    if tensor.empty:
        raise FormatError(
            "no row of the tables is of the tensor stage by simultaneous diagonalisation",
            "the method tensor and the decomposition smd",
            "list both under molds.experiments.NAME",
        )
    names = [name for name in ESTIMATORS if name in set(tensor["estimator"])]
    lengths = sorted(table["steps"].unique())
    colours = matplotlib.colormaps["viridis_r"](np.linspace(0.15, 0.95, len(lengths)))
    baseline = medians(table[table["method"] == "trajectory_ols"], ["steps", "trajectories"], "markov_error")
    drawn = []
    with figure_style():
        figure = Figure(figsize=((30 + 60 * max(2, len(names))) * MILLIMETRE, 76 * MILLIMETRE))
        panels = figure.subplots(1, len(names), squeeze=False, sharey=True)[0]
        for axes, name in zip(panels, names, strict=True):
            points = medians(tensor[tensor["estimator"] == name], ["steps", "trajectories"], "markov_error")
            for steps, colour in zip(lengths, colours, strict=True):
                _draw_line(axes, points[points["steps"] == steps], colour, f"{steps:g} steps")
                flat = baseline[(baseline["steps"] == steps) & np.isfinite(baseline["median"])]
                if len(flat):
                    flat = flat.sort_values("trajectories")
                    axes.plot(flat["trajectories"], flat["median"], color=colour, linewidth=0.8, linestyle=(0, (3, 2)))
            drawn.append(points.assign(method="tensor", estimator=name))
            axes.set(xscale="log", yscale="log", xlabel="trajectories")
            log_ticks(axes.xaxis, sorted(points["trajectories"].unique()))
            log_ticks(axes.yaxis)
            axes.set_title(f"{ESTIMATORS[name]}, {tensor['seed'].nunique()} seeds")
        panels[0].set_ylabel("Markov error (median over seeds)")
        _legend(figure, panels[-1], bool(len(baseline)))
        for axes, letter in zip(panels, "abcdef", strict=False):
            panel_letter(axes, letter)
        mark_scale(figure, tier)
        tables = {"medians": pd.concat([*drawn, baseline.assign(method="trajectory_ols")], ignore_index=True)}
        return save_figure(figure, out_prefix, tables | {"scores": table}, provenance=provenance)


def _draw_line(axes: Axes, points: pd.DataFrame, colour: np.ndarray, label: str) -> None:
    points = points[np.isfinite(points["median"])].sort_values("trajectories")
    if points.empty:
        return
    axes.plot(points["trajectories"], points["median"], color=colour, marker="o", markersize=3, label=label)
    high = np.where(np.isfinite(points["high"]), points["high"], points["median"])
    axes.fill_between(points["trajectories"], points["low"], high, color=colour, alpha=0.15, linewidth=0)


def _legend(figure: Figure, axes: Axes, baseline: bool) -> None:
    handles, labels = axes.get_legend_handles_labels()
    if baseline:
        (line,) = axes.plot([], [], color="#555555", linewidth=0.8, linestyle=(0, (3, 2)))
        handles.append(line)
        labels.append("least squares, each\ntrajectory by itself")
    figure.legend(handles, labels, loc="outside right upper")
