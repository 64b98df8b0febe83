"""The figure ``detection_excerpt``: a second of a recording, what the network says of it, and what is true."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from spikeline.artifacts import Provenance
from spikeline.errors import FormatError
from spikeline.figures.detection import DETECTORS
from spikeline.figures.saving import save_figure
from spikeline.figures.style import MILLIMETRE, figure_style, mark_scale, panel_letter, scale_bar, unit_colour
from spikeline.figures.tables import read_table

__all__ = ["draw_detection_excerpt"]

_KINDS = {"hit": "#222222", "small unit": "#9A9A9A", "false": "#A6192E"}
_KIND_LABELS = {
    "hit": "detected, of a unit to be found",
    "small unit": "detected, of a smaller unit",
    "false": "false detection",
}
_MISSED = "#A6192E"


@dataclass(frozen=True)
class _Tables:
    traces: pd.DataFrame
    probability: pd.DataFrame
    spikes: pd.DataFrame
    events: pd.DataFrame

    def within(self, low: float, high: float) -> _Tables:
        """What happens between two times, in ms."""
        return _Tables(
            self.traces[(self.traces.index >= low) & (self.traces.index <= high)],
            *(table[table["time_ms"].between(low, high)] for table in (self.probability, self.spikes, self.events)),
        )


def _fullest(spikes: pd.DataFrame, events: pd.DataFrame, begin: float, end: float, width: float) -> float:
    """Start of the stretch with most true spikes; of those the one with most detections, of those the first."""
    starts = np.arange(begin, max(end - width, begin) + 1e-9, width / 40)
    spike_times, event_times = np.sort(spikes["time_ms"]), np.sort(events["time_ms"])

    def count(times: np.ndarray) -> np.ndarray:  # not at the very ends, where a spike would be cut
        return np.searchsorted(times, starts + 0.97 * width) - np.searchsorted(times, starts + 0.03 * width)

    return float(starts[np.lexsort((starts, -count(event_times), -count(spike_times)))[0]])


def _draw(
    axes: Axes,
    probability_axes: Axes,
    ticks: Axes,
    tables: _Tables,
    units: list[str],
    detectors: list[str],
    spread: float,
) -> None:
    origin = float(tables.traces.index.min())
    time = tables.traces.index.to_numpy(float) - origin
    for place, channel in enumerate(tables.traces.columns):
        axes.plot(time, tables.traces[channel] - place * spread, color="#444444", linewidth=0.4)
        axes.annotate(
            str(channel),
            xy=(0, -place * spread),
            xycoords=("axes fraction", "data"),
            xytext=(-4, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize=6,
        )
    axes.set(ylim=(-(tables.traces.shape[1] - 0.35) * spread, 0.85 * spread), yticks=[], xlim=(0, time[-1]))
    probability_axes.fill_between(
        tables.probability["time_ms"] - origin,
        tables.probability["probability"],
        color="#222222",
        alpha=0.85,
        linewidth=0,
    )
    probability_axes.set(ylim=(0, 1), yticks=[0, 1], xlim=(0, time[-1]))
    for index, unit in enumerate(units):
        own = tables.spikes[tables.spikes["unit_id"] == unit]
        _row(ticks, own["time_ms"] - origin, 0, unit_colour(index))
    missed = tables.spikes[tables.spikes["wanted"] & ~tables.spikes["found"]]
    ticks.plot(
        missed["time_ms"] - origin, np.full(len(missed), 0.62), "v", markersize=2.6, color=_MISSED, markeredgewidth=0
    )
    for place, detector in enumerate(detectors, start=1):  # also one that is silent in this part
        for kind, colour in _KINDS.items():
            own = tables.events[(tables.events["detector"] == detector) & (tables.events["kind"] == kind)]
            _row(ticks, own["time_ms"] - origin, -place, colour)
    ticks.set(ylim=(-len(detectors) - 0.65, 0.85), yticks=[], xlim=(0, time[-1]))
    for lower in (axes, probability_axes):
        lower.tick_params(labelbottom=False, bottom=False)
        lower.spines["bottom"].set_visible(False)
    for bare in (axes, ticks):
        bare.spines["left"].set_visible(False)
    ticks.set_xlabel(f"time after {origin / 1000:.3f} s (ms)")


def _draw_scale(axes: Axes, traces: pd.DataFrame, spread: float) -> None:
    """A bar of ten standard deviations of the noise, beside the last channel."""
    values = traces.to_numpy()
    noise = float(np.median(np.abs(values - np.median(values, axis=0)))) / 0.6745
    edge, middle = axes.get_xlim()[1] * 1.01, -0.5 * (traces.shape[1] - 1) * spread
    scale_bar(axes, edge, middle - 5 * noise, 10 * noise, "", vertical=True)
    axes.annotate(
        "10 SD of\nthe noise",
        xy=(edge, middle),
        xytext=(4, 0),
        textcoords="offset points",
        fontsize=6,
        va="center",
        annotation_clip=False,
    )


def _row(axes: Axes, times: pd.Series, y: float, colour: str) -> None:
    axes.plot(
        times, np.full(len(times), y), marker="|", markersize=5.5, markeredgewidth=0.9, linestyle="", color=colour
    )


def _name_rows(axes: Axes, events: pd.DataFrame) -> None:
    names = ["true spikes"]
    for detector, threshold in events.drop_duplicates("detector")[["detector", "threshold"]].itertuples(index=False):
        label = DETECTORS.get(detector, (detector,))[0]
        names.append(f"{label}, " + (f"p > {threshold:g}" if detector == "simsort" else f"{threshold:g} x noise"))
    for place, name in enumerate(names):
        axes.annotate(
            name,
            xy=(1, -place),
            xycoords=("axes fraction", "data"),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=6,
            annotation_clip=False,
        )


def _legend(figure: Figure, spikes: pd.DataFrame, units: list[str]) -> None:
    tick = {"marker": "|", "linestyle": "", "markersize": 5.5, "markeredgewidth": 1.2}
    snr = spikes.drop_duplicates("unit_id").set_index("unit_id")["snr"]
    handles = [
        Line2D([], [], **tick, color=unit_colour(index), label=f"unit {unit}, SNR {snr[unit]:.1f}")
        for index, unit in enumerate(units)
    ]
    handles.append(
        Line2D(
            [],
            [],
            marker="v",
            linestyle="",
            markersize=3,
            markeredgewidth=0,
            color=_MISSED,
            label="missed by the network",
        )
    )
    handles += [Line2D([], [], **tick, color=colour, label=_KIND_LABELS[kind]) for kind, colour in _KINDS.items()]
    columns = max(4, -(-len(handles) // 2))
    figure.legend(handles=handles, loc="outside upper center", ncols=columns, fontsize=6, handletextpad=0.2)


def draw_detection_excerpt(
    excerpt_csv: str | Path,
    probability_csv: str | Path,
    spikes_csv: str | Path,
    events_csv: str | Path,
    out_prefix: str | Path,
    *,
    zoom_ms: float = 80.0,
    tier: str = "standard",
    provenance: Provenance | None = None,
) -> dict[str, Path]:
    """Draw whitened traces, the probability, true spikes and detections: all of the excerpt (a), and a part of it (b).

    Parameters
    ----------
    excerpt_csv
        Columns time_ms, channel, value.
    probability_csv
        Columns time_ms, probability.
    spikes_csv
        Columns time_ms, unit_id, snr, wanted, found.
    events_csv
        Columns detector, threshold, time_ms, kind.
    out_prefix
        Where the figure goes, without an ending.
    zoom_ms
        Length of the part: the one with most true spikes.
    tier
        The run's tier; ``quick`` is marked on the figure.
    provenance
        For the manifests.

    Raises
    ------
    FormatError
        If a table is missing, lacks a column, or holds an unknown kind of event; or the excerpt is empty.
    """
    excerpt = read_table(excerpt_csv, ["channel"], ["time_ms", "value"])
    probability = read_table(probability_csv, [], ["time_ms", "probability"])
    spikes = read_table(spikes_csv, ["unit_id", "wanted", "found"], ["time_ms", "snr"], may_be_empty=True)
    events = read_table(events_csv, ["detector", "kind"], ["threshold", "time_ms"], may_be_empty=True)
    unknown = sorted(set(events["kind"]) - set(_KINDS))
    if unknown:
        raise FormatError(
            f"{events_csv} has the kind {unknown[0]}", f"the kinds {', '.join(_KINDS)}", "make the table again"
        )
    for column in ("wanted", "found"):
        spikes[column] = spikes[column] == "True"
    traces = excerpt.pivot(index="time_ms", columns="channel", values="value")
    traces = traces[sorted(traces.columns, key=lambda name: (len(name), name))]
    units = sorted(set(spikes["unit_id"]), key=lambda name: (len(name), name))
    detectors = list(dict.fromkeys(events["detector"]))
    everything = _Tables(traces, probability, spikes, events)
    begin, end = float(traces.index.min()), float(traces.index.max())
    start = _fullest(spikes, events, begin, end, min(zoom_ms, end - begin))
    spread = max(0.8 * float(np.ptp(traces.to_numpy(), axis=0).max()), 1e-9)
    with figure_style():
        figure = Figure(figsize=(180 * MILLIMETRE, 150 * MILLIMETRE))
        halves = figure.subfigures(2, 1, hspace=0.02)
        for half, tables, letter in zip(
            halves, (everything, everything.within(start, start + zoom_ms)), "ab", strict=True
        ):
            panels = half.subplots(3, 1, height_ratios=[4.2, 1.0, 1.3])
            _draw(*panels, tables, units, detectors, spread)
            panels[0].set_ylabel("channel", labelpad=14)
            panels[1].set_ylabel("probability")
            _draw_scale(panels[0], traces, spread)
            _name_rows(panels[2], events)
            panel_letter(panels[0], letter)
            low, high = (x - float(tables.traces.index.min()) for x in (start, start + zoom_ms))
            if letter == "a":
                panels[0].axvspan(low, high, color="#EFE7CF", zorder=0, linewidth=0)
        _legend(figure, spikes, units)
        mark_scale(figure, tier)
        tables = {"excerpt": excerpt, "probability": probability, "spikes": spikes, "events": events}
        return save_figure(figure, out_prefix, tables, provenance=provenance)
