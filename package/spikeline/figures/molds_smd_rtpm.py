"""The figure ``molds_smd_rtpm``: two decompositions of the third moment, over numbers of trajectories and steps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from spikeline.artifacts import Provenance
from spikeline.errors import FormatError
from spikeline.figures.molds_scores import ESTIMATORS, log_ticks, read_scores, smd_wins
from spikeline.figures.saving import save_figure
from spikeline.figures.style import MILLIMETRE, figure_style, mark_scale, panel_letter

__all__ = ["draw_molds_smd_rtpm"]

_PAPER_PERCENT = 91.0
_PAPER = "Gong and Saxena (arXiv 2510.06091), other settings"
_LARGEST_RATIO = 2.0


def draw_molds_smd_rtpm(
    table_csvs: Sequence[str | Path],
    out_prefix: str | Path,
    *,
    tier: str = "standard",
    provenance: Provenance | None = None,
) -> dict[str, Path]:
    """Draw the median error of both decompositions, their ratio, and in how many cells SMD's is the lower one.

    Parameters
    ----------
    table_csvs
        Score tables of experiments: columns experiment, cell, method, estimator, decomposition, trajectories, steps,
        seed, markov_error and the other axes. Cells of several experiments are drawn on one grid.
    out_prefix
        Where the figure goes, without an ending.
    tier
        The run's tier; ``quick`` is marked on the figure.
    provenance
        For the manifests.

    Raises
    ------
    FormatError
        If a table is missing, empty or lacks a column, or has not both decompositions.
    """
    table = read_scores(list(table_csvs), ["markov_error"])
    cells = smd_wins(table)
    if cells.empty:
        raise FormatError(
            "no cell of the tables has errors of both decompositions",
            "the decompositions smd and rtpm",
            "list both under molds.experiments.NAME.decompositions",
        )
    names = [name for name in ESTIMATORS if name in set(cells["estimator"])]
    finite = cells[["smd", "rtpm"]].to_numpy()
    finite = finite[np.isfinite(finite)]
    norm = LogNorm(finite.min(), max(finite.max(), finite.min() * 1.01))
    ratio_norm = TwoSlopeNorm(0.0, -np.log2(_LARGEST_RATIO), np.log2(_LARGEST_RATIO))
    with figure_style():
        figure = Figure(figsize=(180 * MILLIMETRE, (14 + 44 * len(names)) * MILLIMETRE))
        grid = figure.add_gridspec(len(names), 4, width_ratios=[1, 1, 1, 0.62])
        panels = np.array([[figure.add_subplot(grid[row, column]) for column in range(3)] for row in range(len(names))])
        for row, name in zip(panels, names, strict=True):
            own = cells[cells["estimator"] == name]
            images = [_heat_map(axes, own, column, norm) for axes, column in zip(row, ("smd", "rtpm"), strict=False)]
            ratios = _ratio_map(row[2], own, ratio_norm)
            row[0].set_title(f"{ESTIMATORS[name]}: SMD")
            row[1].set_title("RTPM")
            row[2].set_title("RTPM over SMD")
            row[0].set_ylabel("trajectories")
            for axes in row[1:]:
                axes.set_yticklabels([])
        for axes in panels[-1]:
            axes.set_xlabel("steps of a trajectory")
        bar = figure.colorbar(images[0], ax=panels[:, :2].ravel().tolist(), shrink=0.7, aspect=30, pad=0.01)
        bar.set_label("Markov error (median over seeds)")
        log_ticks(bar.ax.yaxis)
        bar = figure.colorbar(ratios, ax=panels[:, 2].tolist(), shrink=0.7, aspect=30, pad=0.01, extend="both")
        bar.set_label("blue: SMD is lower")
        bar.set_ticks([-1, 0, 1], labels=["½", "1", "2"])
        counts = _draw_percent(figure.add_subplot(grid[:, 3]), cells, names)
        for axes, letter in zip([*panels.ravel(), figure.axes[-1]], "abcdefghijklmn", strict=False):
            panel_letter(axes, letter)
        mark_scale(figure, tier)
        return save_figure(figure, out_prefix, {"cells": cells, "percent": counts}, provenance=provenance)


def _on_grid(cells: pd.DataFrame, column: str) -> pd.DataFrame:
    """Trajectories from below to above, steps from left to right; the mean where experiments share a place."""
    return cells.pivot_table(index="trajectories", columns="steps", values=column, aggfunc="mean", dropna=False)


def _ticks(axes: Axes, grid: pd.DataFrame) -> None:
    axes.set_xticks(range(grid.shape[1]), [f"{steps:g}" for steps in grid.columns])
    axes.set_yticks(range(grid.shape[0]), [f"{count:g}" for count in grid.index])
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)


def _write_values(axes: Axes, grid: pd.DataFrame, texts: np.ndarray, dark: np.ndarray) -> None:
    for row, column in np.ndindex(grid.shape):
        colour = "white" if dark[row, column] else "#222222"
        axes.text(column, row, texts[row, column], ha="center", va="center", fontsize=5, color=colour)


def _heat_map(axes: Axes, cells: pd.DataFrame, column: str, norm: LogNorm) -> AxesImage:
    grid = _on_grid(cells, column)
    values = grid.to_numpy()
    image = axes.imshow(values, norm=norm, cmap="viridis_r", origin="lower", aspect="auto")
    texts = np.array([[_written(value) for value in row] for row in values])
    _write_values(axes, grid, texts, np.nan_to_num(norm(values), nan=0.0, posinf=1.0) > 0.45)
    _ticks(axes, grid)
    return image


def _written(value: float) -> str:
    return "failed" if np.isinf(value) else "" if np.isnan(value) else f"{value:.2g}".removeprefix("0")


def _ratio_map(axes: Axes, cells: pd.DataFrame, norm: TwoSlopeNorm) -> AxesImage:
    with np.errstate(invalid="ignore", divide="ignore"):  # of errors that are infinite
        grid = _on_grid(cells.assign(ratio=cells["rtpm"] / cells["smd"]), "ratio")
        values = np.log2(grid.to_numpy())
    image = axes.imshow(values, norm=norm, cmap="RdBu", origin="lower", aspect="auto")
    texts = np.array([["" if np.isnan(value) else f"{value:.2f}" for value in row] for row in grid.to_numpy()])
    _write_values(axes, grid, texts, np.abs(np.nan_to_num(values)) > 0.7)
    _ticks(axes, grid)
    return image


def _draw_percent(axes: Axes, cells: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    rows = []
    for place, name in enumerate(names):
        own = cells[cells["estimator"] == name]
        percent = 100 * own["smd_lower"].mean()
        axes.bar(place, percent, width=0.62, color="#0072B2")
        # at the bar's foot, where the paper's line is not
        axes.annotate(
            f"{own['smd_lower'].sum()} of {len(own)}", (place, 0), xytext=(0, 3), textcoords="offset points",
            ha="center", va="bottom", fontsize=5.5, rotation=90, color="white" if percent > 20 else "#222222",
        )  # fmt: skip
        rows.append({"estimator": name, "percent": percent, "cells_of_percent": len(own), "source": "this run"})
    axes.axhline(_PAPER_PERCENT, color="#222222", linewidth=0.8, linestyle=(0, (4, 2)))
    axes.annotate(
        "91 % in the paper\n(other settings)", (len(names) - 0.5, _PAPER_PERCENT), xytext=(0, 2),
        textcoords="offset points", ha="right", va="bottom", fontsize=5.5,
    )  # fmt: skip
    axes.axhline(50, color="#BBBBBB", linewidth=0.6, zorder=0)
    axes.set(ylim=(0, 112), yticks=[0, 25, 50, 75, 100], xlim=(-0.5, len(names) - 0.5))
    axes.set_ylabel("cells in which SMD is lower (%)")
    labels = [ESTIMATORS[name].replace(" (ours)", "").replace(", ", ",\n").replace(" as ", "\nas ") for name in names]
    axes.set_xticks(range(len(names)), labels, fontsize=5.5, rotation=35, ha="right")
    rows.append({"estimator": "paper", "percent": _PAPER_PERCENT, "cells_of_percent": np.nan, "source": _PAPER})
    return pd.DataFrame(rows)
