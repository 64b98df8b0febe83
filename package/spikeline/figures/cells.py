"""The figure ``cells``: every cell model, and the spike that electrodes around it would see."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import ListedColormap, LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from spikeline.artifacts import Provenance
from spikeline.errors import FormatError
from spikeline.figures.saving import save_figure
from spikeline.figures.style import (
    CLASS_COLOURS,
    MILLIMETRE,
    bare,
    cell_class,
    class_colour,
    figure_style,
    mark_scale,
    panel_letter,
    scale_bar,
    short_cell_name,
)
from spikeline.figures.tables import read_table

__all__ = ["chosen_cells", "draw_cells"]

_CLASS_ORDER = ("excitatory", "inhibitory", "unclassified")
# The light end of the colour map is left out: pale lines vanish on white paper.
_AMPLITUDE_MAP = ListedColormap(colormaps["viridis_r"](np.linspace(0.18, 1.0, 256)), name="amplitude")


def chosen_cells(names: Sequence[str], most: int) -> list[str]:
    """At most ``most`` of the cells, evenly spaced in the order excitatory, inhibitory, unclassified, then by name."""
    ordered = sorted(set(names), key=lambda name: (_CLASS_ORDER.index(cell_class(name)), name))
    if len(ordered) <= most:
        return ordered
    return [ordered[i] for i in np.linspace(0, len(ordered) - 1, most).round().astype(int)]


def _draw_morphology(axes: Axes, segments: pd.DataFrame, offset_um: float, widen: float, colour: str) -> None:
    points = segments[["x0_um", "y0_um", "x1_um", "y1_um"]].to_numpy().reshape(-1, 2, 2) + np.array([offset_um, 0.0])
    soma = segments["is_soma"].to_numpy(bool)
    widths = np.clip(segments["diameter_um"].to_numpy() * widen, 0.25, 2.5)
    axes.add_collection(LineCollection(points[~soma], linewidths=widths[~soma], colors=colour, capstyle="round"))
    if soma.any():
        centre = points[soma].reshape(-1, 2).mean(axis=0)
        axes.plot(*centre, marker="o", markersize=3.2, color=colour, markeredgewidth=0, zorder=3)


def _draw_all_morphologies(axes: Axes, morphology: pd.DataFrame, cells: Sequence[str]) -> None:
    """All cells side by side at one scale, somata on one line."""
    offset, gap, lowest, ticks = 0.0, 45.0, 0.0, []
    for cell in cells:
        segments = morphology[morphology["cell"] == cell]
        x = segments[["x0_um", "x1_um"]].to_numpy()
        offset += gap - x.min()
        _draw_morphology(axes, segments, offset, 0.22, class_colour(cell))
        ticks.append(offset)
        lowest = min(lowest, segments[["y0_um", "y1_um"]].to_numpy().min())
        offset += x.max()
    highest = morphology[morphology["cell"].isin(cells)][["y0_um", "y1_um"]].to_numpy().max()
    height = highest - lowest
    for place, cell in zip(ticks, cells, strict=True):
        label = short_cell_name(cell).replace(" ", "\n", 1)
        axes.text(place, lowest - 0.04 * height, label, ha="center", va="top", fontsize=6, color=class_colour(cell))
    axes.set(
        xlim=(-0.01 * offset, offset + gap), ylim=(lowest - 0.22 * height, highest + 0.03 * height), aspect="equal"
    )
    bare(axes)
    length = 200.0 if height > 500 else 100.0
    scale_bar(axes, offset - 10.0, highest - length, length, f"{length:.0f} µm", vertical=True)


def _draw_footprint(axes: Axes, segments: pd.DataFrame, footprint: pd.DataFrame, cell: str, norm: LogNorm) -> None:
    """Mean spikes at their electrodes, over the near part of the cell: own height scale, common colours."""
    _draw_morphology(axes, segments, 0.0, 0.35, "#CFCFCF")
    x, y = np.unique(footprint["x_um"]), np.unique(footprint["y_um"])
    step_x = np.diff(x).min() if len(x) > 1 else 25.0
    step_y = np.diff(y).min() if len(y) > 1 else 25.0
    largest = footprint.groupby(["x_um", "y_um"])["potential_uv"].agg(np.ptp).max()
    time = np.unique(footprint["time_ms"])
    lines, sizes = [], []
    for (at_x, at_y), wave in footprint.groupby(["x_um", "y_um"], sort=True):
        potential = wave.sort_values("time_ms")["potential_uv"].to_numpy()
        across = at_x + 0.86 * step_x * time / (time[-1] - time[0])  # the soma peaks at the electrode's place
        lines.append(np.column_stack([across, at_y + 1.5 * step_y * potential / largest]))
        sizes.append(np.ptp(potential))
    colours = _AMPLITUDE_MAP(norm(np.asarray(sizes)))
    axes.add_collection(LineCollection(lines, colors=colours, linewidths=0.75, zorder=5))
    low, high = y.min() - 1.3 * step_y, y.max() + 1.0 * step_y
    axes.set(xlim=(x.min() - 0.45 * step_x, x.max() + 0.8 * step_x), ylim=(low, high), aspect="equal")
    bare(axes)
    axes.set_title(short_cell_name(cell), color=class_colour(cell), fontsize=6, loc="left", pad=2)
    axes.set_title(f"{largest:.3g} µV", fontsize=5.5, loc="right", pad=2, color="#444444")


def _draw_footprint_scale(axes: Axes, footprint: pd.DataFrame) -> None:
    """A bar for distance and one for time below the first footprint; all footprints share them."""
    x, y, time = (np.unique(footprint[column]) for column in ("x_um", "y_um", "time_ms"))
    step = np.diff(x).min() if len(x) > 1 else 25.0
    below = y.min() - 1.25 * (np.diff(y).min() if len(y) > 1 else 25.0)
    scale_bar(axes, x.min() - 0.22 * step, below, 2 * step, f"{2 * step:.0f} µm")
    duration = time[-1] - time[0]
    scale_bar(axes, x.max() - 0.22 * step, below, 0.86 * step, f"{duration:.3g} ms")


def draw_cells(
    morphology_csv: str | Path,
    footprint_csv: str | Path,
    out_prefix: str | Path,
    *,
    tier: str = "standard",
    most: int = 14,
    provenance: Provenance | None = None,
) -> dict[str, Path]:
    """Draw the cells (a) and their extracellular spike around the soma (b).

    Parameters
    ----------
    morphology_csv
        Columns cell, x0_um, y0_um, x1_um, y1_um, diameter_um, is_soma: one row per segment, soma at the origin.
    footprint_csv
        Columns cell, x_um, y_um, time_ms, potential_uv: the mean spike at a grid of electrode positions.
    out_prefix
        Where the figure goes, without an ending.
    tier
        The run's tier; ``quick`` is marked on the figure.
    most
        Draw at most so many cells, evenly chosen.
    provenance
        For the manifests.

    Returns
    -------
    dict
        Ending -> path of what was written (`save_figure`).

    Raises
    ------
    FormatError
        If a table is missing, empty or lacks a column, or the tables share no cell.
    """
    morphology = read_table(morphology_csv, ["cell", "is_soma"], ["x0_um", "y0_um", "x1_um", "y1_um", "diameter_um"])
    morphology["is_soma"] = morphology["is_soma"].str.lower().isin(["true", "1"])
    footprint = read_table(footprint_csv, ["cell"], ["x_um", "y_um", "time_ms", "potential_uv"])
    shared = set(morphology["cell"]) & set(footprint["cell"])
    if not shared:
        raise FormatError(
            f"{morphology_csv} and {footprint_csv} have no cell in common",
            "tables of the same bank",
            "make both tables again",
        )
    cells = chosen_cells(sorted(shared), most)
    columns = min(7, len(cells))
    rows = math.ceil(len(cells) / columns)
    morphology, footprint = (table[table["cell"].isin(cells)] for table in (morphology, footprint))
    sizes = footprint.groupby(["cell", "x_um", "y_um"])["potential_uv"].agg(np.ptp)
    norm = LogNorm(max(1.0, sizes.min()), max(10.0, sizes.max()), clip=True)
    with figure_style():
        figure = Figure(figsize=(180 * MILLIMETRE, (62 + 50 * rows) * MILLIMETRE))
        top, bottom = figure.subfigures(2, 1, height_ratios=[62, 50 * rows])
        axes = top.subplots()
        _draw_all_morphologies(axes, morphology, cells)
        panel_letter(axes, "a")
        panels = bottom.subplots(rows, columns, squeeze=False).ravel()
        for panel, cell in zip(panels, cells, strict=False):
            near, around = morphology[morphology["cell"] == cell], footprint[footprint["cell"] == cell]
            _draw_footprint(panel, near, around, cell, norm)
        panel_letter(panels[0], "b")
        _draw_footprint_scale(panels[0], footprint)
        for panel in panels[len(cells) :]:
            panel.set_axis_off()
        bar = bottom.colorbar(
            ScalarMappable(norm, _AMPLITUDE_MAP),
            ax=list(panels),
            orientation="horizontal",
            fraction=0.03,
            aspect=60,
            pad=0.02,
        )
        bar.set_label("peak-to-peak amplitude (µV)")
        bar.ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        bar.outline.set_visible(False)
        shown = sorted({cell_class(cell) for cell in cells}, key=_CLASS_ORDER.index)
        handles = [axes.plot([], [], color=CLASS_COLOURS[name], linewidth=2, label=name)[0] for name in shown]
        axes.legend(handles=handles, loc="upper right", bbox_to_anchor=(0.9, 1.0))
        if len(cells) < len(shared):
            axes.set_title(f"{len(cells)} of {len(shared)} cells", loc="right", color="#666666")
        mark_scale(figure, tier)
        return save_figure(
            figure, out_prefix, {"morphology": morphology, "footprint": footprint}, provenance=provenance
        )
