"""The figure ``molds_clusters``: which reaches go together, and what the components' responses look like."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spikeline.artifacts import Provenance
from spikeline.figures.molds_sessions import (
    component_colour,
    labels_of_methods,
    mark_simulated,
    refuse_unknown_methods,
    session_title,
)
from spikeline.figures.saving import save_figure
from spikeline.figures.style import MILLIMETRE, figure_style, mark_scale, panel_letter
from spikeline.figures.tables import read_table

__all__ = ["draw_molds_clusters"]

# From the middle outwards.
_RINGS = ("directions", "switching", "single_trials", "random_em_best", "tensor", "tensor_em")
_FIRST, _APART, _SPREAD = 2.0, 1.0, 0.28


def draw_molds_clusters(
    labels_csv: str | Path,
    methods_csv: str | Path,
    responses_csv: str | Path,
    similarity_csv: str | Path,
    facts_csv: str | Path,
    out_prefix: str | Path,
    *,
    session: str,
    simulated: bool = False,
    tier: str = "standard",
    provenance: Provenance | None = None,
) -> dict[str, Path]:
    """Draw rings of labels against the reach's direction (a), counts (b), responses (c, d) and how alike they are (e).

    Parameters
    ----------
    labels_csv
        Columns method, trial, direction_deg, sector, label.
    methods_csv
        Columns method, start, bits, chance_bits, p, ari_tensor_em.
    responses_csv
        Columns kind, index, trials, input, output, lag_ms, value.
    similarity_csv
        Columns component, sector, cosine.
    facts_csv
        Columns fact, value.
    out_prefix
        Where the figure goes, without an ending.
    session, simulated
        Its name, and whether it was never recorded.
    tier
        The run's tier; ``quick`` is marked on the figure.
    provenance
        For the manifests.

    Raises
    ------
    FormatError
        If a table is missing, empty, lacks a column, or has an unknown method.
    """
    labels = read_table(labels_csv, ["method"], ["trial", "direction_deg", "sector", "label"])
    methods = read_table(methods_csv, ["method", "start"], ["bits", "chance_bits", "p", "ari_tensor_em"])
    responses = read_table(responses_csv, ["kind"], ["index", "trials", "input", "output", "lag_ms", "value"])
    similarity = read_table(similarity_csv, [], ["component", "sector", "cosine"])
    refuse_unknown_methods(labels, labels_csv)
    names = labels_of_methods(methods, methods_csv)
    title, facts = session_title(session, facts_csv)
    nearest = similarity.loc[similarity.groupby("sector")["cosine"].idxmax()].set_index("sector")["component"]
    inputs = sorted(responses["input"].unique())[:2]
    with figure_style():
        figure = Figure(figsize=(180 * MILLIMETRE, 138 * MILLIMETRE))
        rows = figure.add_gridspec(2, 1, height_ratios=[1.3, 1])
        above, below = rows[0].subgridspec(1, 3, width_ratios=[1.35, 0.75, 1]), rows[1].subgridspec(1, 3)
        rings = figure.add_subplot(above[0], projection="polar")
        _draw_rings(rings, labels, nearest)
        _draw_names(figure.add_subplot(above[1]), methods, names)
        counts = figure.add_subplot(above[2])
        _draw_counts(counts, labels[labels["method"] == "tensor_em"], names["tensor_em"])
        panels = [rings, counts]
        sizes = responses.groupby(["kind", "index", "input", "lag_ms"])["value"].apply(
            lambda values: float(np.sqrt((values**2).sum()))
        )
        for place, which in enumerate(inputs):
            axes = figure.add_subplot(below[place])
            _draw_responses(axes, sizes.xs(which, level="input"), nearest)
            axes.set(title=f"response to input {which + 1:.0f}", ylim=(0, 1.05 * float(sizes.max())))
            panels.append(axes)
        alike = figure.add_subplot(below[2])
        _draw_similarity(alike, similarity)
        panels.append(alike)
        figure.suptitle(title, fontsize=6.5, x=0.01, ha="left")
        for axes, letter in zip(panels, "abcde", strict=False):
            panel_letter(axes, letter)
        mark_simulated(figure, simulated)
        mark_scale(figure, tier)
        tables = {
            "labels": labels, "methods": methods, "responses": responses, "similarity": similarity, "facts": facts,
        }  # fmt: skip
        return save_figure(figure, out_prefix, tables, provenance=provenance)


def _draw_rings(axes: Axes, labels: pd.DataFrame, nearest: pd.Series) -> None:
    """A dot for each trial, spread a little in angle and radius so that all of them are seen."""
    shown = [name for name in _RINGS if name in set(labels["method"])]
    for place, name in enumerate(shown):
        own = labels[labels["method"] == name].sort_values("trial")
        groups = own["sector"].map(nearest) if name == "directions" else own["label"]
        order = own.groupby("sector").cumcount().to_numpy()
        count = own.groupby("sector")["trial"].transform("count").to_numpy()
        turn = np.unique(own["direction_deg"]).size <= 16
        within = (order + 0.5) / count - 0.5
        angle = np.radians(own["direction_deg"].to_numpy() + (30.0 * within if turn else 0.0))
        radius = _FIRST + _APART * place + _SPREAD * (2 * ((order * 0.618034) % 1.0) - 1)
        known = groups.notna().to_numpy()
        colours = [component_colour(int(group)) for group in groups[known]]
        axes.scatter(angle[known], radius[known], s=3.0, c=colours, linewidths=0, clip_on=False)
        axes.plot(
            np.linspace(0, 2 * np.pi, 200),
            np.full(200, _FIRST + _APART * (place - 0.5)),
            color="#E5E5E5",
            linewidth=0.5,
        )
    axes.set(ylim=(0, _FIRST + _APART * (len(shown) - 0.4)), yticks=[])
    axes.set_xticks(np.radians(np.arange(0, 360, 45)), [f"{angle}°" for angle in range(0, 360, 45)], fontsize=6)
    axes.grid(False)
    axes.spines[:].set_visible(False)
    axes.tick_params(pad=-2)


def _draw_names(axes: Axes, methods: pd.DataFrame, names: dict[str, str]) -> None:
    """What the rings are, from the outermost inwards, and what each says of the direction."""
    facts = methods.set_index("method")
    axes.set_axis_off()
    chance = facts.loc["tensor_em", "chance_bits"]
    head = (
        f"rings, outermost first:\ninformation about direction\n(by chance {chance:.2f} bits),\nARI with the outermost"
    )
    style = {"fontsize": 6, "va": "top", "transform": axes.transAxes, "in_layout": False}
    axes.text(0, 0.97, head, **style)
    for place, name in enumerate(reversed([name for name in _RINGS if name in facts.index])):
        row = facts.loc[name]
        told = f"{row['bits']:.2f} bits, {row['ari_tensor_em']:.2f}"
        if name == "directions":
            told = "the component most alike"
        text = f"{names[name]}\n    {told}"
        axes.text(0, 0.7 - 0.115 * place, text, **style)


def _draw_counts(axes: Axes, own: pd.DataFrame, name: str) -> None:
    counts = pd.crosstab(own["sector"].astype(int), own["label"].astype(int))
    _table(axes, counts.to_numpy(float), "%d", "Greys")
    _sectors(axes, counts.index.to_numpy(), int(own["sector"].max()) + 1)
    _components(axes, counts.columns.to_numpy())
    axes.set_title(f"trials, {name}")


def _draw_similarity(axes: Axes, similarity: pd.DataFrame) -> None:
    table = similarity.pivot(index="sector", columns="component", values="cosine")
    _table(axes, table.to_numpy(float), "%.2f", "Greys")
    _sectors(axes, table.index.to_numpy(), int(table.index.max()) + 1)
    _components(axes, table.columns.to_numpy())
    axes.set_title("cosine with the response\nof the direction's system")


def _table(axes: Axes, values: np.ndarray, form: str, colours: str) -> None:
    top = max(float(np.nanmax(values)), np.finfo(float).tiny)
    axes.imshow(values, cmap=colours, vmin=0, vmax=1.6 * top, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        axes.text(column, row, form % value, ha="center", va="center", fontsize=5.5)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _sectors(axes: Axes, sectors: np.ndarray, n_sectors: int) -> None:
    axes.set_yticks(range(len(sectors)), [f"{360 / n_sectors * sector:.0f}°" for sector in sectors])
    axes.set_ylabel("direction")


def _components(axes: Axes, components: np.ndarray) -> None:
    axes.set_xticks(range(len(components)), [f"{component + 1:.0f}" for component in components])
    for label, component in zip(axes.get_xticklabels(), components, strict=True):
        label.set_color(component_colour(int(component)))
        label.set_fontweight("bold")
    axes.set_xlabel("component")


def _draw_responses(axes: Axes, sizes: pd.Series, nearest: pd.Series) -> None:
    """Size of the response over all outputs, against the lag."""
    for (kind, index), own in sizes.groupby(level=["kind", "index"]):
        size = own.droplevel(["kind", "index"])
        component = index if kind == "component" else nearest.get(index)
        thick = kind == "component"
        axes.plot(
            size.index, size.to_numpy(), color=component_colour(int(component)), linewidth=1.6 if thick else 0.6,
            alpha=1.0 if thick else 0.55, linestyle="-" if thick else "--", zorder=3 if thick else 2,
        )  # fmt: skip
    axes.set(xlabel="lag (ms)", ylabel="size of response\n(sd of output per sd of input)")
    axes.plot([], [], color="#333333", linewidth=1.6, label="component")
    axes.plot([], [], color="#333333", linewidth=0.6, linestyle="--", label="a direction's system")
    axes.legend(loc="upper right", fontsize=5.5)
