"""The figure ``recording_excerpt``: a stretch of a synthetic recording, with the units that are in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from spikeline.artifacts import Provenance
from spikeline.figures.saving import save_figure
from spikeline.figures.style import (
    MILLIMETRE,
    bare,
    figure_style,
    mark_scale,
    panel_letter,
    scale_bar,
    short_cell_name,
    unit_colour,
)
from spikeline.figures.tables import read_table
from spikeline.figures.traces import round_down

__all__ = ["draw_recording_excerpt"]

_TRACE_COLOUR = "#9A9A9A"
_AROUND_SPIKE_MS = (-0.6, 1.2)


def _draw_probe(axes: Axes, contacts: pd.DataFrame, units: pd.DataFrame, colours: dict[str, str]) -> None:
    axes.scatter(contacts["x_um"], contacts["y_um"], marker="s", s=14, color="#333333", zorder=2, linewidths=0)
    size = 12 + 90 * np.sqrt(units["peak_to_peak_uv"] / units["peak_to_peak_uv"].max())
    axes.scatter(
        units["x_um"],
        units["y_um"],
        s=size,
        color=[colours[u] for u in units["unit_id"]],
        alpha=0.8,
        linewidths=0.5,
        edgecolors="white",
        zorder=3,
    )
    if len(units) <= 20:
        for unit in units.itertuples():
            axes.annotate(
                unit.unit_id,
                xy=(unit.x_um, unit.y_um),
                xytext=(0, 6),
                textcoords="offset points",
                ha="center",
                va="bottom",
                fontsize=6,
                color=colours[unit.unit_id],
                zorder=4,
                path_effects=[withStroke(linewidth=1.6, foreground="white")],
            )
    x = np.concatenate([contacts["x_um"], units["x_um"]])
    y = np.concatenate([contacts["y_um"], units["y_um"]])
    extent = max(np.ptp(x), np.ptp(y), 20.0)
    margin = 0.14 * extent
    tall = np.ptp(y) > 6 * max(np.ptp(x), 1.0)  # a long probe: equal scales would leave a hairline
    axes.set(xlim=(x.min() - margin, x.max() + margin), ylim=(y.min() - 1.9 * margin, y.max() + margin))
    axes.set_aspect("auto" if tall else "equal")
    bare(axes)
    bar = round_down(0.3 * extent)
    if tall:
        scale_bar(axes, x.min() - 0.5 * margin, y.min(), bar, f"{bar:g} µm", vertical=True)
    else:
        scale_bar(axes, x.min() - 0.5 * margin, y.min() - 1.2 * margin, bar, f"{bar:g} µm")
    axes.set_title("probe and units")


def _shown_channels(excerpt: pd.DataFrame, contacts: pd.DataFrame, units: pd.DataFrame, most: int) -> list[str]:
    """All channels, or the ``most`` next to the largest units, from the top of the probe to its bottom."""
    present = contacts[contacts["channel"].isin(set(excerpt["channel"]))]
    if len(present) > most:
        places = units.sort_values("peak_to_peak_uv", ascending=False)[["x_um", "y_um"]].to_numpy()
        distance = np.linalg.norm(
            present[["x_um", "y_um"]].to_numpy()[:, None] - places[None, : max(1, most // 4)], axis=2
        ).min(axis=1)
        present = present.iloc[np.argsort(distance, kind="stable")[:most]]
    return list(present.sort_values(["y_um", "x_um"], ascending=[False, True])["channel"])


def _draw_traces(
    axes: Axes,
    wide: pd.DataFrame,
    spikes: pd.DataFrame,
    contacts: pd.DataFrame,
    units: pd.DataFrame,
    colours: dict[str, str],
) -> None:
    time = wide.index.to_numpy(float)
    channels = list(wide.columns)
    values = wide.to_numpy()
    quiet = np.median(np.abs(values - np.median(values, axis=0))) / 0.6745
    spread = max(float(np.quantile(values.max(axis=0) - values.min(axis=0), 0.9)) * 0.7, 6 * quiet, 1e-9)
    place = contacts.set_index("channel")[["x_um", "y_um"]]
    peak = units.set_index("unit_id")["peak_to_peak_uv"]
    home = spikes.groupby("unit_id")["channel"].first().to_dict()
    lowest, highest = -(len(channels) - 0.6) * spread, 0.4 * spread
    for i, channel in enumerate(channels):
        offset = -i * spread
        trace = values[:, i] - np.median(values[:, i]) + offset
        lowest, highest = min(lowest, float(trace.min())), max(highest, float(trace.max()))
        axes.plot(time, trace, color=_TRACE_COLOUR, linewidth=0.45, zorder=1)
        for unit in sorted(home, key=lambda name: peak.get(name, 0.0)):
            far = (
                np.linalg.norm(place.loc[channel].to_numpy(float) - place.loc[home[unit]].to_numpy(float))
                if home[unit] in place.index
                else 0
            )
            if far > 45.0:
                continue  # its spike is below the noise there
            pieces = []
            for at in spikes.loc[spikes["unit_id"] == unit, "time_ms"]:
                inside = (time >= at + _AROUND_SPIKE_MS[0]) & (time <= at + _AROUND_SPIKE_MS[1])
                pieces.append(np.column_stack([time[inside], trace[inside]]))
            axes.add_collection(
                LineCollection([p for p in pieces if len(p) > 1], colors=colours[unit], linewidths=0.8, zorder=2)
            )
        axes.annotate(
            channel,
            xy=(0, offset),
            xycoords=("axes fraction", "data"),
            xytext=(-3, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize=6 if len(channels) <= 16 else 4.5,
        )
    axes.set(
        xlim=(time[0], time[-1]), ylim=(lowest - 0.05 * spread, highest + 0.05 * spread), yticks=[], xlabel="time (ms)"
    )
    axes.set_ylabel("channel", labelpad=16)
    axes.spines["left"].set_visible(False)
    bar = round_down(0.6 * spread)
    edge = time[-1] + 0.012 * np.ptp(time)
    scale_bar(axes, edge, -bar / 2, bar, "", vertical=True)
    axes.annotate(
        f"{bar:g} µV",
        xy=(edge, 0),
        xytext=(3, 0),
        textcoords="offset points",
        fontsize=6,
        va="center",
        annotation_clip=False,
    )


def _draw_raster(axes: Axes, spikes: pd.DataFrame, units: pd.DataFrame, colours: dict[str, str]) -> None:
    for row, unit in enumerate(units["unit_id"]):
        at = spikes.loc[spikes["unit_id"] == unit, "time_ms"]
        axes.vlines(at, row - 0.38, row + 0.38, color=colours[unit], linewidth=1.0)
    labelled = units if len(units) <= 20 else units.iloc[:0]
    axes.set(ylim=(len(units) - 0.4, -0.6), yticks=range(len(labelled)), yticklabels=labelled["unit_id"], ylabel="unit")
    for label, unit in zip(axes.get_yticklabels(), labelled["unit_id"], strict=True):
        label.set_color(colours[unit])
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.tick_params(left=False, bottom=False, labelbottom=False)


def _draw_units(axes: Axes, units: pd.DataFrame, colours: dict[str, str], places: int) -> None:
    """Amplitude and signal-to-noise ratio of every unit, largest first."""
    row = np.arange(len(units))
    axes.barh(row, units["peak_to_peak_uv"], color=[colours[u] for u in units["unit_id"]], height=0.6)
    axes.set(xlabel="peak to peak (µV)", ylim=(max(len(units), places) - 0.4, -0.7), yticks=[])
    axes.spines["left"].set_visible(False)
    if len(units) <= 20:
        for i, unit in enumerate(units.itertuples()):
            axes.annotate(
                f"{unit.unit_id}  {short_cell_name(str(unit.cell))}, SNR {unit.snr:.1f}",
                xy=(0, i - 0.36),
                xytext=(1, 0.5),
                textcoords="offset points",
                ha="left",
                va="bottom",
                fontsize=5.5,
                color="#333333",
                annotation_clip=False,
            )


def draw_recording_excerpt(
    excerpt_csv: str | Path,
    spikes_csv: str | Path,
    units_csv: str | Path,
    contacts_csv: str | Path,
    out_prefix: str | Path,
    *,
    tier: str = "standard",
    most_channels: int = 24,
    provenance: Provenance | None = None,
) -> dict[str, Path]:
    """Draw the probe with the units around it (a), the true spikes over the traces (b), and the units' amplitudes (c).

    Parameters
    ----------
    excerpt_csv
        Columns time_ms, channel, potential_uv.
    spikes_csv
        Columns time_ms, unit_id, channel: the true spikes of the excerpt and each unit's largest channel.
    units_csv
        Columns unit_id, cell, x_um, y_um, peak_to_peak_uv, snr: positions in the plane of the probe.
    contacts_csv
        Columns channel, x_um, y_um.
    out_prefix
        Where the figure goes, without an ending.
    tier
        The run's tier; ``quick`` is marked on the figure.
    most_channels
        Of a larger probe, the channels next to the largest units are drawn.
    provenance
        For the manifests.

    Raises
    ------
    FormatError
        If a table is missing, empty or lacks a column.
    """
    excerpt = read_table(excerpt_csv, ["channel"], ["time_ms", "potential_uv"])
    spikes = read_table(spikes_csv, ["unit_id", "channel"], ["time_ms"], may_be_empty=True)
    units = read_table(units_csv, ["unit_id", "cell"], ["x_um", "y_um", "peak_to_peak_uv", "snr"])
    contacts = read_table(contacts_csv, ["channel"], ["x_um", "y_um"])
    units = units.sort_values("peak_to_peak_uv", ascending=False, kind="stable", ignore_index=True)
    colours = {unit: unit_colour(i) for i, unit in enumerate(units["unit_id"])}
    spikes = spikes[spikes["unit_id"].isin(colours)]
    channels = _shown_channels(excerpt, contacts, units, most_channels)
    excerpt = excerpt[excerpt["channel"].isin(channels)]
    wide = excerpt.pivot(index="time_ms", columns="channel", values="potential_uv")[channels]
    with figure_style():
        height = min(190.0, 52.0 + max(8.5 * len(channels), 34.0) + 1.5 * min(len(units), 40))
        figure = Figure(figsize=(180 * MILLIMETRE, height * MILLIMETRE))
        raster_share = np.clip((4.0 * min(len(units), 20) + 6.0) / height, 0.12, 0.5)
        grid = figure.add_gridspec(2, 3, width_ratios=[0.75, 2.4, 0.75], height_ratios=[raster_share, 1 - raster_share])
        probe, raster = figure.add_subplot(grid[:, 0]), figure.add_subplot(grid[0, 1])
        traces, amplitudes = figure.add_subplot(grid[1, 1], sharex=raster), figure.add_subplot(grid[:, 2])
        _draw_probe(probe, contacts, units, colours)
        _draw_raster(raster, spikes, units, colours)
        _draw_traces(traces, wide, spikes, contacts, units, colours)
        _draw_units(amplitudes, units, colours, places=int(height / 10))
        if len(contacts) > len(channels):
            traces.set_title(f"{len(channels)} of {len(contacts)} channels", loc="right", color="#666666")
        for axes, letter in zip((probe, raster, amplitudes), "abc", strict=True):
            panel_letter(axes, letter)
        mark_scale(figure, tier)
        tables = {"excerpt": excerpt, "spikes": spikes, "units": units, "contacts": contacts}
        return save_figure(figure, out_prefix, tables, provenance=provenance)
