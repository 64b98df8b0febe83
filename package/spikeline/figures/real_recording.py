"""The figure ``real_recording``: a real recording without known spikes, and what each sorter makes of it."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spikeline.artifacts import Provenance
from spikeline.figures.saving import save_figure
from spikeline.figures.style import (
    MILLIMETRE,
    bare,
    figure_style,
    mark_scale,
    panel_letter,
    scale_bar,
    sorter_colour,
    unit_colour,
)
from spikeline.figures.tables import read_table
from spikeline.figures.traces import round_down

__all__ = ["draw_real_recording"]

_UNIT_NAMES = {"uV": "µV", "adc": "ADC counts", "arbitrary": "(no unit)"}


def _draw_excerpt(axes: Axes, excerpt: pd.DataFrame, spikes: pd.DataFrame, sorters: list[str]) -> None:
    wide = excerpt.pivot(index="time_ms", columns="channel", values="value")
    wide = wide[_in_order(wide.columns)]
    begin = float(wide.index.min())
    time, values = wide.index.to_numpy(float) - begin, wide.to_numpy()
    values = values - np.median(values, axis=0)
    spread = max(float(np.ptp(values, axis=0).max()) * 0.75, 1e-9)
    for i, channel in enumerate(wide.columns):
        axes.plot(time, values[:, i] - i * spread, color="#444444", linewidth=0.45)
        axes.annotate(
            str(channel),
            xy=(0, -i * spread),
            xycoords=("axes fraction", "data"),
            xytext=(-4, 0),
            textcoords="offset points",
            ha="right",
            va="center",
        )
    lowest = -(wide.shape[1] - 0.45) * spread
    for row, sorter in enumerate(sorters):
        at = spikes.loc[spikes["sorter"] == sorter, "time_s"].to_numpy(float) * 1000 - begin
        at = at[(at >= time[0]) & (at <= time[-1])]
        y = lowest - (row + 0.6) * 0.36 * spread
        axes.plot(
            at,
            np.full(len(at), y),
            marker="|",
            markersize=5,
            markeredgewidth=0.9,
            linestyle="",
            color=sorter_colour(sorter, sorters),
        )
        axes.annotate(
            sorter,
            xy=(1, y),
            xycoords=("axes fraction", "data"),
            xytext=(4, 0),
            textcoords="offset points",
            ha="left",
            va="center",
            fontsize=6,
            color=sorter_colour(sorter, sorters),
            annotation_clip=False,
        )
    axes.set(
        xlim=(time[0], time[-1]),
        ylim=(lowest - (len(sorters) + 0.6) * 0.36 * spread, 0.9 * spread),
        yticks=[],
        xlabel=f"time after {begin / 1000:.3f} s (ms)",
    )
    axes.set_ylabel("channel", labelpad=12)
    axes.spines["left"].set_visible(False)
    unit = str(excerpt["unit"].iloc[0])
    bar, edge = round_down(0.5 * spread), time[-1] + 0.008 * np.ptp(time)
    scale_bar(axes, edge, -bar / 2, bar, "", vertical=True)
    axes.annotate(
        f"{bar:g} {_UNIT_NAMES.get(unit, unit)}",
        xy=(edge, 0),
        xytext=(4, 0),
        textcoords="offset points",
        fontsize=6,
        va="center",
        annotation_clip=False,
    )


def _draw_waveforms(
    axes: Axes,
    waveforms: pd.DataFrame,
    counts: pd.Series,
    colours: dict[str, str],
    time: np.ndarray,
    channels: list[str],
    span: float,
    places: int,
) -> None:
    """A sorter's units from left to right: mean waveform on each channel side by side, with one standard deviation."""
    step = float(np.ptp(time)) * 1.12
    width = step * (max(len(channels), 1) + 0.9)
    for place, (name, colour) in enumerate(colours.items()):
        for i, channel in enumerate(channels):
            wave = waveforms[(waveforms["unit_id"] == name) & (waveforms["channel"] == channel)].sort_values("time_ms")
            x = wave["time_ms"] - time[0] + i * step + place * width
            axes.fill_between(
                x, wave["mean"] - wave["sd"], wave["mean"] + wave["sd"], color=colour, alpha=0.22, linewidth=0
            )
            axes.plot(x, wave["mean"], color=colour, linewidth=0.9)
        axes.text(
            place * width + step * len(channels) / 2,
            0.68 * span,
            f"unit {name}, n = {counts[name]}",
            fontsize=6,
            ha="center",
            va="bottom",
            color=colour,
        )
    if not colours:
        axes.text(0, 0, "no unit", fontsize=6, va="center", color="#555555")
    axes.set(xlim=(-0.25 * step, places * width), ylim=(-1.05 * span, 0.85 * span))
    bare(axes)


def _draw_waveform_scale(axes: Axes, span: float, unit: str) -> None:
    """Bars for time and amplitude at the lower right of the waveforms; all units share them."""
    right = axes.get_xlim()[1]
    bar = round_down(0.72 * span)
    length = round_down(right / 25)
    scale_bar(axes, right - length, -span, length, f"{length:g} ms")
    scale_bar(axes, right, -span, bar, f"{bar:g} {unit}", vertical=True)


def _most_active(spikes: pd.DataFrame, most: int) -> list[str]:
    """The units with most spikes, most first; ties by name."""
    counts = spikes["unit_id"].value_counts()
    return sorted(counts.index, key=lambda name: (-counts[name], len(name), name))[:most]


def _in_order(names: pd.Index) -> list[str]:
    """Channel names as people count: 2 before 10."""
    return sorted(names, key=lambda name: (len(name), name))


def _draw_amplitudes(
    axes: Axes, spikes: pd.DataFrame, colours: dict[str, str], limits: tuple[float, float], duration: float
) -> None:
    for unit_id, colour in colours.items():
        of_unit = spikes[spikes["unit_id"] == unit_id]
        axes.plot(
            of_unit["time_s"],
            of_unit["amplitude"],
            ".",
            markersize=1.6,
            color=colour,
            markeredgewidth=0,
            alpha=0.8,
            rasterized=True,
        )
    axes.set(xlim=(0, duration), ylim=limits)


def draw_real_recording(
    waveforms_csv: str | Path,
    excerpt_csv: str | Path,
    spikes_csv: str | Path,
    out_prefix: str | Path,
    *,
    sorters: Collection[str] = (),
    tier: str = "standard",
    most_units: int = 6,
    provenance: Provenance | None = None,
) -> dict[str, Path]:
    """Draw an excerpt with every sorter's spikes (a), each sorter's units (b), and their amplitudes over time (c).

    Parameters
    ----------
    waveforms_csv
        Columns sorter, unit_id, channel, time_ms, mean, sd.
    excerpt_csv
        Columns time_ms, channel, value, unit.
    spikes_csv
        Columns sorter, unit_id, time_s, amplitude.
    out_prefix
        Where the figure goes, without an ending.
    sorters
        All that sorted the recording: one that found nothing stands in no table of spikes, and is drawn without units.
    tier
        The run's tier; ``quick`` is marked on the figure.
    most_units
        Units drawn per sorter: those with most spikes.
    provenance
        For the manifests.

    Raises
    ------
    FormatError
        If a table is missing, lacks a column, or the excerpt is empty.
    """
    excerpt = read_table(excerpt_csv, ["unit"], ["time_ms", "value"])
    excerpt["channel"] = read_table(excerpt_csv, ["channel"])["channel"]
    waveforms = read_table(
        waveforms_csv, ["sorter", "unit_id", "channel"], ["time_ms", "mean", "sd"], may_be_empty=True
    )
    spikes = read_table(spikes_csv, ["sorter", "unit_id"], ["time_s", "amplitude"], may_be_empty=True)
    sorters = sorted({*sorters, *spikes["sorter"], *waveforms["sorter"]})
    unit = str(excerpt["unit"].iloc[0])
    unit = _UNIT_NAMES.get(unit, unit)
    limits, duration = (-1.0, 0.0), float(excerpt["time_ms"].max()) / 1000
    if len(spikes):
        low, high = float(spikes["amplitude"].quantile(0.002)), float(spikes["amplitude"].quantile(0.998))
        limits = (min(0.0, 1.1 * low), max(0.0, 1.1 * high))
        duration = float(spikes["time_s"].max())
    span = 1.15 * float((waveforms["mean"].abs() + waveforms["sd"]).quantile(0.999)) if len(waveforms) else 1.0
    # of all sorters together, so that one without units has the others' scale
    time = np.unique(waveforms["time_ms"]) if len(waveforms) else np.array([0.0, 1.0])
    channels = _in_order(pd.Index(waveforms["channel"].unique()))
    drawn = {sorter: _most_active(spikes[spikes["sorter"] == sorter], most_units) for sorter in sorters}
    places = max([1, *map(len, drawn.values())])
    with figure_style():
        figure = Figure(figsize=(180 * MILLIMETRE, (58 + 25 * len(sorters)) * MILLIMETRE))
        grid = figure.add_gridspec(
            1 + len(sorters), 2, height_ratios=[58, *[25] * len(sorters)], width_ratios=[3.2, 1.0]
        )
        axes = figure.add_subplot(grid[0, :])
        _draw_excerpt(axes, excerpt, spikes, sorters)
        panel_letter(axes, "a")
        for row, (sorter, units) in enumerate(drawn.items(), start=1):
            of_sorter = spikes[spikes["sorter"] == sorter]
            colours = {name: unit_colour(i) for i, name in enumerate(units)}
            left, right = figure.add_subplot(grid[row, 0]), figure.add_subplot(grid[row, 1])
            counts = of_sorter["unit_id"].value_counts()
            _draw_waveforms(
                left, waveforms[waveforms["sorter"] == sorter], counts, colours, time, channels, span, places
            )
            left.set_ylabel(sorter, color=sorter_colour(sorter, sorters), fontweight="bold")
            _draw_amplitudes(right, of_sorter, colours, limits, duration)
            shown = f" ({len(units)} drawn)" if len(units) < len(counts) else ""
            right.set_title(f"{len(counts)} units{shown}, {len(of_sorter)} spikes", fontsize=6, loc="right", pad=2)
            last = row == len(sorters)
            right.set(xlabel="time (s)" if last else "", ylabel=f"peak\n({unit})")
            right.tick_params(labelbottom=last)
            if row == 1:
                panel_letter(left, "b")
                panel_letter(right, "c")
            if last and len(waveforms):
                _draw_waveform_scale(left, span, unit)
        mark_scale(figure, tier)
        found = spikes.groupby("sorter")["unit_id"].agg(units="nunique", spikes="size")
        found = found.reindex(pd.Index(sorters, name="sorter"), fill_value=0).reset_index()
        tables = {"excerpt": excerpt, "waveforms": waveforms, "spikes": spikes, "sorters": found}
        return save_figure(figure, out_prefix, tables, provenance=provenance)
