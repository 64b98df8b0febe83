"""The figure ``traces``: what happens inside the soma, and what electrodes beside the cell see of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from matplotlib.patheffects import withStroke

from spikeline.artifacts import Provenance
from spikeline.errors import FormatError
from spikeline.figures.saving import save_figure
from spikeline.figures.style import (
    MILLIMETRE,
    bare,
    class_colour,
    figure_style,
    mark_scale,
    panel_letter,
    scale_bar,
    short_cell_name,
    unit_colour,
)
from spikeline.figures.tables import read_table

__all__ = ["draw_traces", "round_down"]

_SOMA_COLOUR = "#222222"
_ELECTRODE_COLOURS = tuple(unit_colour(i) for i in (1, 2, 4, 3, 5, 0, 6, 7))


def round_down(value: float) -> float:
    """The largest of 1, 2, 5 times a power of ten that is not above ``value``: the length of a scale bar."""
    power = 10.0 ** np.floor(np.log10(value))
    return float(max(step for step in (1, 2, 5) if step * power <= value * (1 + 1e-9)) * power)


def _wide(traces: pd.DataFrame, path: str | Path) -> tuple[np.ndarray, pd.DataFrame, list[str]]:
    table = traces.pivot(index="time_ms", columns="trace", values="value")
    electrodes = sorted((name for name in table.columns if name != "soma"), key=lambda name: (len(name), name))
    if "soma" not in table.columns or not electrodes:
        raise FormatError(
            f"{path} has the traces {', '.join(table.columns)}",
            "soma and at least one electrode",
            "make the table again",
        )
    return table.index.to_numpy(float), table, electrodes


def _draw_stretch(upper: Axes, lower: Axes, time: np.ndarray, table: pd.DataFrame, electrodes: list[str]) -> None:
    upper.plot(time, table["soma"], color=_SOMA_COLOUR, linewidth=0.8)
    upper.set(ylabel="soma voltage (mV)", xlim=(time[0], time[-1]))
    upper.tick_params(labelbottom=False)
    spread = max(float(np.ptp(table[name])) for name in electrodes) or 1.0
    for i, name in enumerate(electrodes):
        trace = table[name].to_numpy()
        lower.plot(time, trace - np.median(trace) - i * 0.75 * spread, color=_ELECTRODE_COLOURS[i % 8], linewidth=0.7)
        lower.annotate(
            str(i + 1),
            xy=(0, -i * 0.75 * spread),
            xycoords=("axes fraction", "data"),
            xytext=(-4, 0),
            textcoords="offset points",
            color=_ELECTRODE_COLOURS[i % 8],
            ha="right",
            va="center",
            fontweight="bold",
        )
    lower.set(xlabel="time (ms)", xlim=(time[0], time[-1]), yticks=[], ylabel="electrode")
    lower.yaxis.labelpad = 14
    lower.spines["left"].set_visible(False)
    bar = round_down(0.6 * spread)
    top = lower.get_ylim()[1]
    scale_bar(lower, time[-1] + 0.015 * np.ptp(time), top - bar, bar, "", vertical=True)
    lower.annotate(
        f"{bar:g} µV",
        xy=(time[-1] + 0.015 * np.ptp(time), top - bar / 2),
        xytext=(3, 0),
        textcoords="offset points",
        fontsize=6,
        va="center",
        annotation_clip=False,
    )


def _draw_one_spike(upper: Axes, lower: Axes, time: np.ndarray, table: pd.DataFrame, electrodes: list[str]) -> None:
    """The largest spike of the soma, cut out of all traces."""
    peak = time[int(np.argmax(table["soma"].to_numpy()))]
    inside = (time >= peak - 1.5) & (time <= peak + 3.5)
    upper.plot(time[inside] - peak, table["soma"][inside], color=_SOMA_COLOUR)
    upper.set(ylabel="mV", xlim=(-1.5, 3.5))
    upper.tick_params(labelbottom=False)
    for i, name in enumerate(electrodes):
        trace = table[name].to_numpy()[inside]
        lower.plot(time[inside] - peak, trace - trace[0], color=_ELECTRODE_COLOURS[i % 8], label=str(i + 1))
    lower.axhline(0, color="#BBBBBB", linewidth=0.5, zorder=0)
    lower.set(xlabel="time from soma peak (ms)", ylabel="µV", xlim=(-1.5, 3.5))
    for axes in (upper, lower):
        axes.axvline(0, color="#BBBBBB", linewidth=0.5, linestyle=(0, (3, 2)), zorder=0)


def _draw_place(axes: Axes, segments: pd.DataFrame, traces: pd.DataFrame, electrodes: list[str], cell: str) -> None:
    points = segments[["x0_um", "y0_um", "x1_um", "y1_um"]].to_numpy(float).reshape(-1, 2, 2)
    where = traces.drop_duplicates("trace").set_index("trace")
    places = where.loc[electrodes, ["x_um", "y_um", "z_um"]].to_numpy(float)
    reach = max(45.0, 1.5 * np.abs(places[:, :2]).max())
    axes.set(xlim=(-reach, reach), ylim=(-1.95 * reach, 1.95 * reach), aspect="equal")
    axes.apply_aspect()
    bare(axes)
    # Diameters to scale: points per um of this panel as it lies on the page.
    width = axes.get_position().width * axes.figure.get_figure(root=True).get_figwidth() * 72 * 0.9
    widths = np.clip(segments["diameter_um"].to_numpy(float) * width / (2 * reach), 0.4, 40)
    soma = segments["is_soma"].str.lower().isin(["true", "1"]).to_numpy()
    pale = to_rgb(class_colour(cell))
    pale = tuple(0.45 * channel + 0.55 for channel in pale)
    axes.add_collection(LineCollection(points[~soma], linewidths=widths[~soma], colors=[pale], capstyle="round"))
    if soma.any():
        diameter = float(segments["diameter_um"].to_numpy(float)[soma].max())
        axes.add_patch(Circle(points[soma].reshape(-1, 2).mean(axis=0), diameter / 2, facecolor=pale, edgecolor="none"))
    for i, place in enumerate(places):
        axes.plot(
            *place[:2],
            marker="s",
            markersize=5.5,
            color=_ELECTRODE_COLOURS[i % 8],
            markeredgecolor="white",
            markeredgewidth=0.5,
        )
        right = place[0] >= places[:, 0].mean()
        axes.annotate(
            str(i + 1),
            xy=place[:2],
            xytext=(5 if right else -5, 0),
            textcoords="offset points",
            va="center",
            ha="left" if right else "right",
            color=_ELECTRODE_COLOURS[i % 8],
            fontweight="bold",
            path_effects=[withStroke(linewidth=1.8, foreground="white")],
        )
    scale_bar(axes, -0.95 * reach, -1.85 * reach, 20, "20 µm")
    distance = np.linalg.norm(places, axis=1)
    axes.set_title(short_cell_name(cell), color=class_colour(cell))
    axes.annotate(
        f"electrodes {distance.min():.0f}–{distance.max():.0f} µm\nfrom the soma's centre",
        xy=(0, -0.05),
        xycoords="axes fraction",
        ha="left",
        va="top",
        fontsize=6,
        color="#555555",
    )


def draw_traces(
    traces_csv: str | Path,
    morphology_csv: str | Path,
    out_prefix: str | Path,
    *,
    tier: str = "standard",
    provenance: Provenance | None = None,
) -> dict[str, Path]:
    """Draw where the electrodes are (a), a stretch with a few spikes (b), and one spike of it (c).

    Parameters
    ----------
    traces_csv
        Columns cell, trace, x_um, y_um, z_um, time_ms, value, unit; one trace is ``soma`` (mV), the others are
        electrodes (uV).
    morphology_csv
        The table `draw_cells` takes; only the traces' cell is used.
    out_prefix
        Where the figure goes, without an ending.
    tier
        The run's tier; ``quick`` is marked on the figure.
    provenance
        For the manifests.

    Raises
    ------
    FormatError
        If a table is missing, empty, lacks a column, or has no soma trace or no electrode.
    """
    traces = read_table(traces_csv, ["cell", "trace", "unit"], ["x_um", "y_um", "z_um", "time_ms", "value"])
    morphology = read_table(morphology_csv, ["cell", "is_soma"], ["x0_um", "y0_um", "x1_um", "y1_um", "diameter_um"])
    time, table, electrodes = _wide(traces, traces_csv)
    cell = str(traces["cell"].iloc[0])
    morphology = morphology[morphology["cell"] == cell]
    with figure_style():
        figure = Figure(figsize=(180 * MILLIMETRE, 88 * MILLIMETRE))
        grid = figure.add_gridspec(2, 3, width_ratios=[0.8, 2.1, 1.0], height_ratios=[1, 1.35])
        place = figure.add_subplot(grid[:, 0])
        stretch = [figure.add_subplot(grid[row, 1]) for row in range(2)]
        spike = [figure.add_subplot(grid[row, 2]) for row in range(2)]
        _draw_place(place, morphology, traces, electrodes, cell)
        _draw_stretch(*stretch, time, table, electrodes)
        _draw_one_spike(*spike, time, table, electrodes)
        for axes, letter in zip((place, stretch[0], spike[0]), "abc", strict=True):
            panel_letter(axes, letter)
        mark_scale(figure, tier)
        return save_figure(figure, out_prefix, {"traces": traces, "morphology": morphology}, provenance=provenance)
