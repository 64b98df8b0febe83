"""The figure ``identification``: clusters of SimSort's embedding and of plain features beside true units."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from spikeline.artifacts import Provenance
from spikeline.errors import FormatError
from spikeline.figures.recording_names import name_recordings
from spikeline.figures.reference import NOT_AVAILABLE
from spikeline.figures.saving import save_figure
from spikeline.figures.style import MILLIMETRE, figure_style, mark_scale, panel_letter, sorter_colour
from spikeline.figures.tables import read_table

__all__ = ["CLUSTERINGS", "FEATURES", "draw_identification"]

FEATURES = {
    "embedding": ("SimSort's embedding", sorter_colour("simsort", []), "o"),
    "pca": ("principal components", "#0072B2", "s"),
    "pca_told": ("components told their scatter", "#56B4E9", "^"),
    "umap": ("UMAP of the waveforms", "#E69F00", "D"),
}
"""Name -> label, colour, marker."""

CLUSTERINGS = {
    "mixture": "the sorter's clustering",
    "mean_shift": "as published: UMAP, mean shift",
    "oracle_mixture": "as published scores: UMAP, mixture told the number of units",
}
"""Name -> title."""

_OFFSETS = dict(zip(FEATURES, (-0.27, -0.09, 0.09, 0.27), strict=True))


def _draw_clustering(axes: Axes, scores: pd.DataFrame, places: list[str]) -> None:
    for feature, (_, colour, marker) in FEATURES.items():
        own = scores[scores["feature"] == feature]
        x = np.array([places.index(name) for name in own["recording"]]) + _OFFSETS[feature]
        axes.vlines(x, own["ari"] - own["ari_sd"], own["ari"] + own["ari_sd"], color=colour, linewidth=1.0, alpha=0.6)
        axes.plot(x, own["ari_large"], marker="_", markersize=6, linestyle="", color=colour, markeredgewidth=1.1)
        axes.plot(
            x,
            own["ari"],
            marker=marker,
            markersize=4.2,
            linestyle="",
            color=colour,
            markeredgewidth=0,
            zorder=3,
            clip_on=False,
        )
    for place in range(1, len(places)):
        axes.axvline(place - 0.5, color="#E5E5E5", linewidth=0.6, zorder=0)
    axes.set(ylim=(-0.02, 1.02), xlim=(-0.5, len(places) - 0.5), ylabel="adjusted Rand index")
    axes.tick_params(labelbottom=False)


def _draw_counts(axes: Axes, scores: pd.DataFrame, places: list[str]) -> None:
    own = scores[(scores["clustering"] == "mixture") & scores["recording"].isin(places)]
    for feature, (_, colour, marker) in FEATURES.items():
        rows = own[own["feature"] == feature]
        x = np.array([places.index(name) for name in rows["recording"]]) + _OFFSETS[feature]
        axes.plot(x, rows["n_clusters"], marker=marker, markersize=4.2, linestyle="", color=colour, markeredgewidth=0)
    for name, count in own.groupby("recording")["n_units"].first().items():
        place = places.index(name)
        axes.hlines(count, place - 0.4, place + 0.4, color="#222222", linewidth=1.0)
    for place in range(1, len(places)):
        axes.axvline(place - 0.5, color="#E5E5E5", linewidth=0.6, zorder=0)
    top = float(max(own["n_clusters"].max(), own["n_units"].max()))
    axes.set(ylim=(0, 1.12 * top), xlim=(-0.5, len(places) - 0.5), ylabel="clusters")


def _with_mean(scores: pd.DataFrame) -> pd.DataFrame:
    """A further "recording": the mean of the simulated ones."""
    recordings = scores[scores["data"] == "simulated"]
    if recordings["recording"].nunique() < 2:
        return scores
    mean = recordings.groupby(["feature", "clustering"], as_index=False)[["ari", "ari_large"]].mean()
    return pd.concat([scores, mean.assign(recording="mean of simulated")], ignore_index=True)


def draw_identification(
    scores_csv: str | Path, out_prefix: str | Path, *, tier: str = "standard", provenance: Provenance | None = None
) -> dict[str, Path]:
    """Draw the adjusted Rand index of all features under three clusterings (a-c), and the number of clusters (d).

    Parameters
    ----------
    scores_csv
        Columns recording, data (simulated, real or snippets), feature, clustering, ari, ari_large, n, n_units,
        n_clusters, ari_sd (over draws of the jitter; drawn as a line either way) and draws.
    out_prefix
        Where the figure goes, without an ending.
    tier
        The run's tier; ``quick`` is marked on the figure.
    provenance
        For the manifests.

    Raises
    ------
    FormatError
        If the table is missing, empty, lacks a column, or has an unknown feature or clustering.
    """
    names = ["recording", "data", "feature", "clustering"]
    scores = read_table(scores_csv, names, ["ari", "ari_large", "n", "n_units", "n_clusters", "ari_sd", "draws"])
    for column, known in (("feature", FEATURES), ("clustering", CLUSTERINGS)):
        unknown = sorted(set(scores[column]) - set(known))
        if unknown:
            raise FormatError(
                f"{scores_csv} has the {column} {unknown[0]}", f"one of {', '.join(known)}", "make the table again"
            )
    shown = _with_mean(scores)
    places = list(dict.fromkeys(shown["recording"]))
    first = scores.groupby("recording")[["n", "n_units"]].first()
    facts = {row.Index: f"{row.n_units:.0f} units\n{row.n:.0f} spikes" for row in first.itertuples()}
    with figure_style():
        figure = Figure(figsize=(180 * MILLIMETRE, 165 * MILLIMETRE))
        panels = figure.subplots(4, 1, sharex=True, height_ratios=[1.2, 1, 1, 0.8])
        for axes, (clustering, title) in zip(panels, CLUSTERINGS.items(), strict=False):
            _draw_clustering(axes, shown[shown["clustering"] == clustering], places)
            axes.set_title(title)
        _draw_counts(panels[3], scores, places)
        panels[3].set_title("clusters that the sorter's clustering finds; line: true units")
        name_recordings(panels[3], places, facts)
        handles = [
            Line2D([], [], color=colour, marker=marker, markersize=4.2, linestyle="", markeredgewidth=0, label=label)
            for label, colour, marker in FEATURES.values()
        ]
        handles.append(
            Line2D(
                [], [], color="#555555", marker="_", markersize=6, linestyle="", label="units with SNR above 5 alone"
            )
        )
        figure.legend(
            handles=handles, loc="outside upper center", ncols=5, columnspacing=1.2, fontsize=6.5, handletextpad=0.3
        )
        for axes, letter in zip(panels, "abcd", strict=True):
            panel_letter(axes, letter)
        mark_scale(figure, tier)
        return save_figure(figure, out_prefix, {"scores": scores.assign(paper=NOT_AVAILABLE)}, provenance=provenance)
