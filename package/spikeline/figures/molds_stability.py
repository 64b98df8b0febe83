"""The figure ``molds_stability``: how sure the groups are, and whether other trials would have given the same ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spikeline.artifacts import Provenance
from spikeline.figures.molds_sessions import component_colour, labels_of_methods, mark_simulated, session_title
from spikeline.figures.saving import save_figure
from spikeline.figures.style import MILLIMETRE, figure_style, mark_scale, panel_letter
from spikeline.figures.tables import read_table

__all__ = ["draw_molds_stability"]

_PARTS = {"train": "#000000", "validation": "#56B4E9", "test": "#D55E00"}
_MARKERS = "o^sDvP*X"


def draw_molds_stability(
    labels_csv: str | Path,
    subsets_csv: str | Path,
    single_trials_csv: str | Path,
    facts_csv: str | Path,
    out_prefix: str | Path,
    *,
    session: str,
    simulated: bool = False,
    tier: str = "standard",
    provenance: Provenance | None = None,
) -> dict[str, Path]:
    """Draw entropies of posteriors (a), agreement of fits to parts of the trials (b), single trials' responses (c).

    Parameters
    ----------
    labels_csv
        Columns method, start, part, label, entropy_bits.
    subsets_csv
        Columns subset, other (``all`` or another subset), ari.
    single_trials_csv
        Columns x, y, label, group, explained_x, explained_y, ari.
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
        If a table is missing, empty or lacks a column.
    """
    labels = read_table(labels_csv, ["method", "start", "part"], ["label", "entropy_bits"])
    name = labels_of_methods(labels, labels_csv)["tensor_em"]
    own = labels[labels["method"] == "tensor_em"]
    subsets = read_table(subsets_csv, ["other"], ["subset", "ari"])
    single = read_table(single_trials_csv, [], ["x", "y", "label", "group", "explained_x", "explained_y", "ari"])
    title, facts = session_title(session, facts_csv)
    with figure_style():
        figure = Figure(figsize=(180 * MILLIMETRE, 70 * MILLIMETRE))
        panels = figure.subplots(1, 3, width_ratios=[1.1, 0.8, 1.3])
        _draw_entropies(panels[0], own, name)
        _draw_subsets(panels[1], subsets)
        _draw_single_trials(panels[2], single)
        figure.suptitle(title, fontsize=6.5, x=0.01, ha="left")
        for axes, letter in zip(panels, "abc", strict=True):
            panel_letter(axes, letter)
        mark_simulated(figure, simulated)
        mark_scale(figure, tier)
        tables = {"labels": own, "subsets": subsets, "single_trials": single, "facts": facts}
        return save_figure(figure, out_prefix, tables, provenance=provenance)


def _draw_entropies(axes: Axes, own: pd.DataFrame, name: str) -> None:
    most = max(np.log2(max(2.0, own["label"].max() + 1)), float(own["entropy_bits"].max()))
    edges = np.linspace(0, most, 21)
    parts = [own.loc[own["part"] == part, "entropy_bits"] for part in _PARTS]
    axes.hist(parts, bins=edges, stacked=True, color=list(_PARTS.values()), label=list(_PARTS))
    sure = float((own["entropy_bits"] < 0.1).mean())
    axes.set(xlabel="entropy of the posterior (bits)", ylabel="trials", xlim=(0, most), yscale="symlog")
    axes.set_ylim(0, None)
    axes.set_title(f"{name}: {100 * sure:.0f} % of trials\nbelow 0.1 bits")
    axes.legend(loc="upper right")


def _draw_subsets(axes: Axes, subsets: pd.DataFrame) -> None:
    kinds = {"with the\nwhole fit": subsets["other"] == "all", "with each\nother": subsets["other"] != "all"}
    for place, chosen in enumerate(kinds.values()):
        values = np.sort(subsets.loc[chosen, "ari"].to_numpy())
        spread = 0.5 * ((np.arange(len(values)) * 0.618034) % 1.0 - 0.5)
        axes.plot(place + spread, values, marker="o", markersize=2.6, linestyle="", color="#56B4E9", markeredgewidth=0)
        axes.hlines(values.mean(), place - 0.35, place + 0.35, color="#000000", linewidth=1.2)
    low = min(0.0, float(subsets["ari"].min()))
    axes.set(xlim=(-0.6, 1.6), ylim=(low - 0.04, 1.04), ylabel="adjusted Rand index, all trials")
    axes.set_xticks(range(len(kinds)), list(kinds))
    axes.set_title(f"{subsets['subset'].nunique()} parts of the trials")


def _draw_single_trials(axes: Axes, single: pd.DataFrame) -> None:
    for (component, group), own in single.groupby(["label", "group"]):
        axes.plot(
            own["x"], own["y"], linestyle="", marker=_MARKERS[int(group) % len(_MARKERS)], markersize=3.2,
            color=component_colour(int(component)), markeredgewidth=0, alpha=0.85,
        )  # fmt: skip
    for component in sorted(single["label"].unique()):
        axes.plot([], [], linestyle="", marker="s", markersize=4, color=component_colour(int(component)),
                  label=f"component {component + 1:.0f}")  # fmt: skip
    first = single.iloc[0]
    axes.set(
        xlabel=f"first component of single trials' responses ({100 * first['explained_x']:.0f} %)",
        ylabel=f"second component ({100 * first['explained_y']:.0f} %)",
    )
    axes.set_title(f"symbols: groups of single trials, ARI {first['ari']:.2f}")
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=6)
