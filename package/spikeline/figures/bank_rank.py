"""The figure ``bank_rank``: how few components carry a cell's membrane currents, and what the cut costs."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator

from spikeline.artifacts import Provenance
from spikeline.figures.saving import save_figure
from spikeline.figures.style import (
    CLASS_COLOURS,
    MILLIMETRE,
    cell_class,
    class_colour,
    figure_style,
    mark_scale,
    panel_letter,
)
from spikeline.figures.tables import read_table

__all__ = ["draw_bank_rank"]

_PLAIN = FuncFormatter(lambda value, _: f"{value:g}")


def _draw_errors(axes: Axes, errors: pd.DataFrame, column: str, tolerance: float, label: str) -> None:
    for cell, curve in errors.groupby("cell"):
        curve = curve.sort_values("rank")
        axes.plot(curve["rank"], curve[column], color=class_colour(cell), linewidth=0.8, alpha=0.75)
        axes.plot(
            curve["rank"].iloc[-1],
            curve[column].iloc[-1],
            marker="o",
            markersize=3.5,
            color=class_colour(cell),
            markeredgecolor="white",
            markeredgewidth=0.4,
            zorder=4,
        )
    axes.axhline(tolerance, color="#222222", linewidth=0.8, linestyle=(0, (4, 2)), zorder=1)
    axes.annotate(
        f"tolerance {tolerance:g} {label.rpartition('(')[2].rstrip(')')}",
        xy=(1, tolerance),
        xycoords=("axes fraction", "data"),
        xytext=(0, 2),
        textcoords="offset points",
        ha="right",
        va="bottom",
        fontsize=6,
    )
    axes.set(yscale="log", xlabel="components kept (rank)", ylabel=label, xlim=(0, None))
    axes.yaxis.set_major_locator(LogLocator(numticks=8))
    axes.yaxis.set_major_formatter(_PLAIN)


def _draw_ranks(axes: Axes, bank: pd.DataFrame) -> None:
    for name in CLASS_COLOURS:
        of_class = bank[[cell_class(cell) == name for cell in bank["cell"]]]
        if len(of_class):
            axes.scatter(
                of_class["n_segments"],
                of_class["rank"],
                s=16,
                color=CLASS_COLOURS[name],
                edgecolors="white",
                linewidths=0.4,
                label=name,
            )
    largest = float(bank["n_segments"].max()) * 1.08
    axes.plot([0, largest], [0, largest], color="#AAAAAA", linewidth=0.7)
    top = 1.35 * float(bank["rank"].max())
    axes.annotate(
        "full rank",
        xy=(0.75 * top, 0.75 * top),
        xytext=(3, 0),
        textcoords="offset points",
        va="center",
        fontsize=6,
        color="#777777",
    )
    axes.set(xlim=(0, largest), ylim=(0, top), xlabel="segments of the cell", ylabel="stored rank")
    axes.legend(loc="lower right", handletextpad=0.2)


def draw_bank_rank(
    rank_error_csv: str | Path,
    bank_csv: str | Path,
    out_prefix: str | Path,
    *,
    tolerance_uv: float = 1.0,
    tolerance_percent: float = 0.5,
    tier: str = "standard",
    provenance: Provenance | None = None,
) -> dict[str, Path]:
    """Draw the largest error (a) and the relative RMS error (b) against the rank, and the stored ranks (c).

    Parameters
    ----------
    rank_error_csv
        Columns cell, rank, max_error_uv, rms_error_percent: one row per cell and rank, the last rank the stored one.
    bank_csv
        Columns cell, n_segments, rank: one row per bank entry.
    out_prefix
        Where the figure goes, without an ending.
    tolerance_uv, tolerance_percent
        What the bank was asked to keep (``simulation.bank.max_error_uv``, ``rms_error_percent``).
    tier
        The run's tier; ``quick`` is marked on the figure.
    provenance
        For the manifests.

    Raises
    ------
    FormatError
        If a table is missing, empty or lacks a column.
    """
    errors = read_table(rank_error_csv, ["cell"], ["rank", "max_error_uv", "rms_error_percent"])
    bank = read_table(bank_csv, ["cell"], ["n_segments", "rank"])
    with figure_style():
        figure = Figure(figsize=(180 * MILLIMETRE, 62 * MILLIMETRE))
        axes = figure.subplots(1, 3)
        _draw_errors(axes[0], errors, "max_error_uv", tolerance_uv, "largest error (µV)")
        _draw_errors(axes[1], errors, "rms_error_percent", tolerance_percent, "relative RMS error (%)")
        _draw_ranks(axes[2], bank)
        for panel, letter in zip(axes, "abc", strict=True):
            panel_letter(panel, letter)
        mark_scale(figure, tier)
        tolerances = pd.DataFrame({"max_error_uv": [tolerance_uv], "rms_error_percent": [tolerance_percent]})
        tables = {"rank_error": errors, "bank": bank, "tolerance": tolerances}
        return save_figure(figure, out_prefix, tables, provenance=provenance)
