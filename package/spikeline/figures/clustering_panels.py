"""Two panels: reducers with clusterers as a map, and denoisings of the snippets beside each other."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from spikeline.errors import FormatError
from spikeline.figures.study_measures import bootstrap

__all__ = ["CLUSTERERS", "DENOISINGS", "REDUCERS", "check_clusterings", "draw_denoisings", "draw_map"]

REDUCERS = {
    "none": "embedding as it is",
    "pca": "5 principal components",
    "umap": "UMAP, 2 dimensions",
    "t_sne": "t-SNE, 2 dimensions",
}
CLUSTERERS = {
    "mixture": "the sorter's\nmixture",
    "mean_shift": "mean shift",
    "dbscan": "DBSCAN",
    "told_mixture": "told\nmixture",
    "told_k_means": "told\nk-means",
    "told_spectral": "told\nspectral",
}
DENOISINGS = {"off": "off", "batch": "of each batch", "fixed_basis": "of all snippets"}


def check_clusterings(table: pd.DataFrame) -> None:
    """Refuse a table with a method that has no place on the panels.

    Raises
    ------
    FormatError
        If a reducer, clusterer or denoising is unknown.
    """
    for column, known in (("reducer", REDUCERS), ("clusterer", CLUSTERERS), ("denoising", DENOISINGS)):
        if unknown := sorted(set(table[column]) - set(known)):
            raise FormatError(
                f"a table of clusterings with the {column} {unknown[0]}", f"one of {', '.join(known)}", "make it again"
            )


def draw_map(axes: Axes, table: pd.DataFrame) -> None:
    """Mean adjusted Rand index over recordings of each reducer (rows) with each clusterer (columns)."""
    plain = table[table["denoising"] == "off"]
    means = plain.pivot_table(index="reducer", columns="clusterer", values="ari", aggfunc="mean")
    means = means.reindex(index=list(REDUCERS), columns=list(CLUSTERERS))
    axes.imshow(means.to_numpy(float), vmin=0, vmax=1, cmap="Greys", aspect="auto")
    for (row, column), value in np.ndenumerate(means.to_numpy(float)):
        text = "" if np.isnan(value) else f"{value:.2f}"
        axes.text(column, row, text, ha="center", va="center", fontsize=7, color="white" if value > 0.5 else "#222222")
    axes.set_xticks(range(len(CLUSTERERS)), list(CLUSTERERS.values()), fontsize=6)
    axes.set_yticks(range(len(REDUCERS)), list(REDUCERS.values()), fontsize=6.5)
    axes.tick_params(length=0)
    n = plain["recording"].nunique()
    axes.set_title(f"adjusted Rand index, mean of {n} recording{'s' if n > 1 else ''}", fontsize=6.5)


def draw_denoisings(axes: Axes, table: pd.DataFrame) -> list[dict[str, object]]:
    """Adjusted Rand index with each denoising: every recording, their mean and its interval."""
    own = table[(table["reducer"] == "none") & (table["clusterer"] == "mixture")]
    values = own.pivot_table(index="recording", columns="denoising", values="ari").reindex(columns=list(DENOISINGS))
    rows = []
    for _, recording in values.iterrows():
        axes.plot(range(len(DENOISINGS)), recording.to_numpy(float), color="#0072B2", linewidth=0.5, alpha=0.5)
    for place, denoising in enumerate(DENOISINGS):
        mean = bootstrap(values[denoising].to_numpy(float))
        rows.append({"denoising": denoising, **mean._asdict()})
        reach = np.nan_to_num(np.abs(np.array([[mean.low], [mean.high]]) - mean.mean))
        axes.errorbar(
            [place], [mean.mean], reach, color="#222222", marker="o", markersize=4, linewidth=1.2, capsize=2.2
        )
    axes.set_xticks(range(len(DENOISINGS)), list(DENOISINGS.values()), fontsize=6)
    axes.set(ylim=(-0.03, 1.03), xlim=(-0.4, len(DENOISINGS) - 0.6), ylabel="adjusted Rand index")
    axes.set_title("snippets denoised (rank 8)", fontsize=6.5)
    return rows
