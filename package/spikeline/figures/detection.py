"""The figure ``detection``: which true spikes SimSort's detector and plain thresholds find, and what they make up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from spikeline.artifacts import Provenance
from spikeline.figures.recording_names import name_recordings
from spikeline.figures.reference import NOT_AVAILABLE
from spikeline.figures.saving import save_figure
from spikeline.figures.style import MILLIMETRE, figure_style, mark_scale, panel_letter, sorter_colour
from spikeline.figures.tables import read_table

__all__ = ["DETECTORS", "best_of_each", "draw_detection", "simsort_default"]

DETECTORS = {
    "simsort": ("SimSort's network", sorter_colour("simsort", []), "o"),
    "spikeinterface": ("SpikeInterface, troughs", "#E69F00", "s"),
    "threshold": ("extrema of either sign", "#56B4E9", "D"),
    "whitened_threshold": ("either sign, whitened traces", "#0072B2", "^"),
    "published_threshold": ("published baseline", "#CC79A7", "v"),
}
"""Name -> label, colour, marker."""

_NUMBERS = ["threshold", "precision", "recall", "f1", "n", "n_units"]


def simsort_default(scores: pd.DataFrame) -> pd.DataFrame:
    """SimSort's detector at even odds: one row per recording."""
    return scores[(scores["detector"] == "simsort") & scores["default"]]


def best_of_each(scores: pd.DataFrame) -> pd.DataFrame:
    """The row with the largest F1 of each recording and detector: the threshold chosen by who knows the true spikes."""
    known = scores.dropna(subset=["f1"])
    return known.loc[known.groupby(["recording", "detector"])["f1"].idxmax()]


def _draw_trade(axes: Axes, scores: pd.DataFrame) -> None:
    for detector, (_, colour, marker) in DETECTORS.items():
        own = scores[scores["detector"] == detector].dropna(subset=["precision", "recall"])
        for _, curve in own.groupby("recording"):
            curve = curve.sort_values("threshold")
            axes.plot(curve["recall"], curve["precision"], color=colour, linewidth=0.5, alpha=0.35)
        # A mean of all recordings with a unit to be found, at the thresholds at which each of them has a precision.
        counts = own.groupby("threshold")["recording"].nunique()
        everywhere = own[own["threshold"].isin(counts.index[counts == own["recording"].nunique()])]
        mean = everywhere.groupby("threshold")[["recall", "precision"]].mean().sort_index()
        axes.plot(
            mean["recall"],
            mean["precision"],
            color=colour,
            linewidth=1.2,
            marker=marker,
            markersize=2.6,
            markeredgewidth=0,
            zorder=3,
        )
        defaults = sorted(set(own.loc[own["default"], "threshold"]) & set(mean.index))
        for threshold in defaults:
            point = mean.loc[threshold]
            axes.plot(
                point["recall"],
                point["precision"],
                marker=marker,
                markersize=6.5,
                markerfacecolor="none",
                markeredgecolor=colour,
                markeredgewidth=1.1,
                zorder=4,
            )
    known = scores.dropna(subset=["recall"])
    low, n = min(0.5, np.floor(10 * known["recall"].min()) / 10 if len(known) else 0.5), known["recording"].nunique()
    axes.set(xlim=(low - 0.01, 1.01), ylim=(0, 1.03), xlabel="recall", ylabel="precision")
    axes.set_title(f"thick: mean of {n} recording{'' if n == 1 else 's'}", fontsize=6.5)


def _draw_recalls(axes: Axes, units: pd.DataFrame, least_snr: float) -> None:
    top = 1.05 * float(units["snr"].max())
    for detector in ("spikeinterface", "simsort"):
        _, colour, marker = DETECTORS[detector]
        own = units[(units["detector"] == detector) & units["default"]].sort_values("snr")
        axes.scatter(
            own["snr"],
            own["recall"],
            s=13,
            color=colour,
            marker=marker,
            linewidths=0,
            alpha=0.85,
            zorder=3,
            clip_on=False,
        )
    pairs = units[units["default"] & units["detector"].isin(["simsort", "spikeinterface"])]
    for (_, _, snr), pair in pairs.groupby(["recording", "unit_id", "snr"]):
        axes.plot([snr] * len(pair), pair["recall"], color="#CCCCCC", linewidth=0.6, zorder=1)
    axes.axvline(least_snr, color="#AAAAAA", linewidth=0.6, linestyle=(0, (3, 2)), zorder=0)
    axes.set(xlim=(0, top), ylim=(-0.02, 1.03), xlabel="signal-to-noise ratio of the unit", ylabel="recall of the unit")


def _draw_f1(axes: Axes, scores: pd.DataFrame, recordings: list[str]) -> None:
    best, default = best_of_each(scores), scores[scores["default"]].dropna(subset=["f1"])
    offsets = np.linspace(-0.27, 0.27, len(DETECTORS))
    for offset, (detector, (_, colour, marker)) in zip(offsets, DETECTORS.items(), strict=True):
        for rows, face in ((best, "white"), (default, colour)):
            own = rows[rows["detector"] == detector]
            x = [recordings.index(name) + offset for name in own["recording"]]
            size = 20 if face == "white" else 15
            axes.scatter(
                x, own["f1"], s=size, marker=marker, facecolors=face, edgecolors=colour, linewidths=0.9, zorder=3,
                clip_on=False,
            )  # fmt: skip
    for place in range(1, len(recordings)):
        axes.axvline(place - 0.5, color="#E5E5E5", linewidth=0.6, zorder=0)
    first = scores.groupby("recording")[["n", "n_units"]].first()
    facts = {
        row.Index: f"{row.n_units:.0f} {'unit' if row.n_units == 1 else 'units'}\n{row.n:.0f} spikes"
        for row in first.itertuples()
    }
    name_recordings(axes, recordings, facts)
    low = float(np.nanmin([best["f1"].min(), default["f1"].min()]))
    axes.set(xlim=(-0.5, len(recordings) - 0.5), ylim=(max(0.0, np.floor(10 * low - 0.5) / 10), 1.01), ylabel="F1")


def _legends(figure: Figure, axes: Axes) -> None:
    handles = [
        Line2D([], [], color=colour, marker=marker, markersize=4, markeredgewidth=0, linewidth=1.2, label=label)
        for label, colour, marker in DETECTORS.values()
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles), columnspacing=1.6, fontsize=6.5)
    grey = {"marker": "o", "linestyle": "", "markersize": 4, "markeredgecolor": "#555555"}
    threshold = [
        Line2D([], [], **grey, markerfacecolor="#555555", label="threshold as used unless told otherwise"),
        Line2D([], [], **grey, markerfacecolor="white", label="threshold chosen by the true spikes"),
    ]
    axes.legend(handles=threshold, loc="lower right", bbox_to_anchor=(1, 1.0), ncols=2, fontsize=6, handletextpad=0.2)


def draw_detection(
    scores_csv: str | Path,
    units_csv: str | Path,
    out_prefix: str | Path,
    *,
    least_snr: float = 5.0,
    tier: str = "standard",
    provenance: Provenance | None = None,
) -> dict[str, Path]:
    """Draw precision against recall (a), recall against SNR (b), and F1 on every recording (c).

    Parameters
    ----------
    scores_csv
        Columns recording, detector, default, threshold, precision, recall, f1, n, n_units: one row per recording,
        detector and threshold.
    units_csv
        Columns recording, detector, default, unit_id, threshold, snr, recall.
    out_prefix
        Where the figure goes, without an ending.
    least_snr
        SNR above which units were to be found.
    tier
        The run's tier; ``quick`` is marked on the figure.
    provenance
        For the manifests.

    Raises
    ------
    FormatError
        If a table is missing, empty or lacks a column.
    """
    scores = read_table(scores_csv, ["recording", "detector"], _NUMBERS)
    units = read_table(units_csv, ["recording", "detector", "unit_id"], ["threshold", "snr", "recall"])
    for table in (scores, units):
        table["default"] = table["default"].astype(str) == "True"
    recordings = list(dict.fromkeys(scores["recording"]))
    with figure_style():
        figure = Figure(figsize=(180 * MILLIMETRE, 118 * MILLIMETRE))
        grid = figure.add_gridspec(2, 2, height_ratios=[1.25, 1.0], width_ratios=[1.0, 1.0])
        upper = [figure.add_subplot(grid[0, column]) for column in range(2)]
        lower = figure.add_subplot(grid[1, :])
        _draw_trade(upper[0], scores)
        _draw_recalls(upper[1], units, least_snr)
        _draw_f1(lower, scores, recordings)
        _legends(figure, lower)
        for axes, letter in zip((*upper, lower), "abc", strict=True):
            panel_letter(axes, letter)
        mark_scale(figure, tier)
        scores["paper"] = NOT_AVAILABLE
        return save_figure(figure, out_prefix, {"scores": scores, "units": units}, provenance=provenance)
