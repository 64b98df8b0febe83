"""The figure ``embedding``: spikes as SimSort's embedding and plain features place them, and their units' waveforms."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse

from spikeline.artifacts import Provenance
from spikeline.figures.identification import FEATURES
from spikeline.figures.saving import save_figure
from spikeline.figures.style import (
    MILLIMETRE,
    bare,
    figure_style,
    mark_scale,
    panel_letter,
    scale_bar,
    unit_colour,
)
from spikeline.figures.tables import read_table
from spikeline.figures.traces import round_down

__all__ = ["draw_embedding"]

_UNIT_NAMES = {"uV": "µV", "adc": "ADC counts", "arbitrary": ""}
_MOST_UNITS = 8


def _draw_plane(axes: Axes, points: pd.DataFrame, outlines: pd.DataFrame, units: list[str], scaled: bool) -> None:
    # In time order, so that no unit lies on top of all others.
    points = points.sort_values("time_s", kind="stable")
    colours = [unit_colour(units.index(unit)) for unit in points["unit_id"]]
    axes.scatter(points["x"], points["y"], s=2.2, c=colours, linewidths=0, alpha=0.6, rasterized=True)
    for row in outlines.itertuples():
        values, vectors = np.linalg.eigh(np.array([[row.xx, row.xy], [row.xy, row.yy]]))
        width, height = 4 * np.sqrt(np.maximum(values, 0))
        angle = np.degrees(np.arctan2(vectors[1, 0], vectors[0, 0]))
        axes.add_patch(
            Ellipse((row.x, row.y), width, height, angle=angle, facecolor="none", edgecolor="#222222", linewidth=0.9)
        )
    low, high = points[["x", "y"]].quantile(0.002), points[["x", "y"]].quantile(0.998)
    margin = 0.06 * (high - low).to_numpy() + 1e-9
    floor = 3.0 if scaled else 1.0  # room for the bar
    axes.set(
        xlim=(low["x"] - margin[0], high["x"] + margin[0]),
        ylim=(low["y"] - floor * margin[1], high["y"] + margin[1]),
        xticks=[],
        yticks=[],
    )
    if scaled:
        (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
        scale_bar(axes, left + 0.04 * (right - left), bottom + 0.07 * (top - bottom), 5, "5 SD within units")


def _draw_waveforms(axes: Axes, waveforms: pd.DataFrame, units: list[str], unit_of_value: str) -> None:
    """Units from left to right, channels from top to bottom."""
    channels = sorted(set(waveforms["channel"]), key=lambda name: (len(name), name))
    time = np.unique(waveforms["time_ms"])
    low, high = float((waveforms["mean"] - waveforms["sd"]).min()), float((waveforms["mean"] + waveforms["sd"]).max())
    step, spread = 1.25 * float(np.ptp(time)), max(0.8 * (high - low), 1e-9)
    floor = -(len(channels) - 1) * spread + low
    for place, unit in enumerate(units):
        own = waveforms[waveforms["unit_id"] == unit]
        for row, channel in enumerate(channels):
            wave = own[own["channel"] == channel].sort_values("time_ms")
            x, y = wave["time_ms"] - time[0] + place * step, wave["mean"] - row * spread
            colour = unit_colour(place)
            axes.fill_between(x, y - wave["sd"], y + wave["sd"], color=colour, alpha=0.22, linewidth=0)
            axes.plot(x, y, color=colour, linewidth=0.9)
        snr = float(own["snr"].iloc[0])
        facts = f"unit {unit}\n" + (f"SNR {snr:.1f}, " if np.isfinite(snr) else "") + f"n = {own['n'].iloc[0]:.0f}"
        middle, colour = place * step + np.ptp(time) / 2, unit_colour(place)
        axes.text(middle, high + 0.1 * spread, facts, ha="center", va="bottom", fontsize=6, color=colour)
    for row, channel in enumerate(channels):
        axes.text(-0.04 * step, -row * spread, channel, ha="right", va="center", fontsize=6)
    right = len(units) * step
    axes.set(xlim=(-0.1 * step, right + 0.1 * step), ylim=(floor - 0.25 * spread, high + 0.75 * spread))
    bare(axes)
    axes.set_ylabel("channel", labelpad=10)
    bar = round_down(0.6 * spread)
    scale_bar(axes, right, -(len(channels) - 1) * spread - bar / 2, bar, "", vertical=True)
    axes.annotate(
        f"{bar:g} {unit_of_value}".strip(),
        xy=(right, -(len(channels) - 1) * spread),
        xytext=(4, 0),
        textcoords="offset points",
        va="center",
        fontsize=6,
        annotation_clip=False,
    )
    scale_bar(axes, right - 1.0, floor - 0.1 * spread, 1.0, "1 ms")


def draw_embedding(
    points_csv: str | Path,
    outlines_csv: str | Path,
    waveforms_csv: str | Path,
    out_prefix: str | Path,
    *,
    tier: str = "standard",
    provenance: Provenance | None = None,
) -> dict[str, Path]:
    """Draw true spikes in the plane of each feature (a-c), with the clusters found in it, and mean waveforms (d).

    Parameters
    ----------
    points_csv
        Columns feature, unit_id, time_s, x, y: true spikes.
    outlines_csv
        Columns feature, n, x, y, xx, xy, yy: mean and covariance of every cluster found.
    waveforms_csv
        Columns unit_id, channel, unit, snr, n, time_ms, mean, sd; the units with most spikes are drawn, at most 8.
    out_prefix
        Where the figure goes, without an ending.
    tier
        The run's tier; ``quick`` is marked on the figure.
    provenance
        For the manifests.

    Raises
    ------
    FormatError
        If a table is missing, lacks a column, or points or waveforms are empty.
    """
    points = read_table(points_csv, ["feature", "unit_id"], ["time_s", "x", "y"])
    outlines = read_table(outlines_csv, ["feature"], ["n", "x", "y", "xx", "xy", "yy"], may_be_empty=True)
    waveforms = read_table(waveforms_csv, ["unit_id", "channel", "unit"], ["n", "time_ms", "mean", "sd"])
    waveforms["snr"] = pd.to_numeric(waveforms["snr"]) if "snr" in waveforms else np.nan
    waveforms = waveforms.dropna(subset=["mean"])
    units = sorted(set(points["unit_id"]), key=lambda name: (len(name), name))
    counts = waveforms.groupby("unit_id")["n"].first()
    kept = sorted(counts.index, key=lambda name: (-counts[name], len(name), name))[:_MOST_UNITS]
    shown = [unit for unit in units if unit in kept]
    colours_first = shown + [unit for unit in units if unit not in shown]
    features = [name for name in FEATURES if name in set(points["feature"])]
    unit_of_value = str(waveforms["unit"].iloc[0])
    channels = waveforms["channel"].nunique()
    with figure_style():
        figure = Figure(figsize=(180 * MILLIMETRE, (72 + 16 * max(channels, 2)) * MILLIMETRE))
        upper, lower = figure.subfigures(2, 1, height_ratios=[66, 6 + 16 * max(channels, 2)])
        panels = upper.subplots(1, len(features), squeeze=False)[0]
        for axes, feature, letter in zip(panels, features, "abc", strict=False):
            own = outlines[outlines["feature"] == feature]
            _draw_plane(axes, points[points["feature"] == feature], own, colours_first, feature != "umap")
            axes.set_title(
                f"{FEATURES[feature][0]}\n{len(own)} cluster{'s' * (len(own) != 1)}, {len(units)} true units"
            )
            axes.set_xlabel("UMAP 1" if feature == "umap" else "1st discriminant")
            axes.set_ylabel("UMAP 2" if feature == "umap" else "2nd discriminant")
            panel_letter(axes, letter)
        last = lower.subplots()
        _draw_waveforms(last, waveforms, shown, _UNIT_NAMES.get(unit_of_value, unit_of_value))
        panel_letter(last, "d")
        mark_scale(figure, tier)
        tables = {"points": points, "outlines": outlines, "waveforms": waveforms}
        return save_figure(figure, out_prefix, tables, provenance=provenance)
