"""The figure ``ablations``: what SimSort gains or loses if something about its training or networks is changed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spikeline.artifacts import Provenance
from spikeline.figures.clustering_panels import check_clusterings, draw_denoisings, draw_map
from spikeline.figures.reference import NOT_AVAILABLE
from spikeline.figures.saving import save_figure
from spikeline.figures.study_measures import (
    MEASURES,
    bootstrap,
    counted,
    differences,
    items,
    read_studies,
    variants_of,
)
from spikeline.figures.style import MILLIMETRE, figure_style, mark_scale, panel_letter
from spikeline.figures.tables import read_table

__all__ = ["draw_ablations"]

_COLOUR = "#0072B2"
_CLUSTERING = ["recording", "denoising", "reducer", "clusterer"]


def draw_ablations(
    table_csvs: Sequence[str | Path],
    out_prefix: str | Path,
    *,
    clustering_csvs: Sequence[str | Path] = (),
    tier: str = "standard",
    provenance: Provenance | None = None,
) -> dict[str, Path]:
    """Draw how far each variant differs from the first of its study, item by item, a row of panels for each study.

    Below them, if there are tables of it: how well the embedding is clustered otherwise.

    Parameters
    ----------
    table_csvs
        As for `spikeline.figures.training_data.draw_training_data`.
    out_prefix
        Where the figure goes, without an ending.
    clustering_csvs
        Columns recording, denoising, reducer, clusterer, ari: one table per recording.
    tier
        The run's tier; ``quick`` is marked on the figure.
    provenance
        For the manifests.

    Raises
    ------
    FormatError
        If a table is missing, empty, lacks a column, or has an unknown clustering.
    """
    table = read_studies(list(table_csvs))
    names = list(dict.fromkeys(table["study"]))
    sizes = [len(variants_of(table[table["study"] == name])) for name in names]
    clusterings = [read_table(path, _CLUSTERING, ["ari"]) for path in clustering_csvs]
    for clustering in clusterings:
        check_clusterings(clustering)
    drawn, below = [], bool(clusterings)
    with figure_style():
        heights = [*(19 + 7.5 * size for size in sizes), *([48] if below else [])]
        figure = Figure(figsize=(180 * MILLIMETRE, (10 + sum(heights)) * MILLIMETRE))
        parts = figure.subfigures(1 + below, 1, height_ratios=[10 + sum(heights[: len(sizes)]), *heights[len(sizes) :]])
        upper = parts[0] if below else parts
        panels = upper.subplots(len(names), len(MEASURES), squeeze=False, height_ratios=[2 + size for size in sizes])
        for row, name in zip(panels, names, strict=True):
            own = table[table["study"] == name]
            for axes, measure in zip(row, MEASURES, strict=True):
                rows = _draw_differences(axes, own, measure)
                drawn += [{"study": name, "measure": measure, **point} for point in rows]
            variants = variants_of(own)
            labels = [variant.replace("_", " ") for variant in variants]
            row[0].set_yticks(range(len(variants)), labels, fontsize=6.5)
            for axes in row[1:]:
                axes.set_yticks(range(len(variants)), [""] * len(variants))
            row[0].set_title(f"{name.replace('_', ' ')}   ({row[0].get_title(loc='left')})")
        for axes, measure in zip(panels[-1], MEASURES, strict=True):
            axes.set_xlabel(f"difference in\n{MEASURES[measure]}")
        shown = list(panels.ravel())
        tables = {"differences": pd.DataFrame(drawn).assign(paper=NOT_AVAILABLE), "studies": table}
        if below:
            lower, every = parts[1].subplots(1, 2, width_ratios=[2, 1]), pd.concat(clusterings, ignore_index=True)
            draw_map(lower[0], every)
            tables["denoisings"], tables["clusterings"] = pd.DataFrame(draw_denoisings(lower[1], every)), every
            shown += list(lower)
        for axes, letter in zip(shown, "abcdefghijklmnopqrstuvwxyz", strict=False):
            panel_letter(axes, letter)
        mark_scale(figure, tier)
        return save_figure(figure, out_prefix, tables, provenance=provenance)


def _draw_differences(axes: Axes, study: pd.DataFrame, measure: str) -> list[dict[str, object]]:
    variants, values, away = variants_of(study), items(study, measure), differences(study, measure)
    first = bootstrap(values[variants[0]].to_numpy()) if variants[0] in values else bootstrap(np.empty(0))
    axes.axvline(0, color="#AAAAAA", linewidth=0.6, zorder=0)
    rows = []
    for place, variant in enumerate(variants):
        known = away[variant].to_numpy(float) if variant in away else np.empty(0)
        mean = bootstrap(known)
        level = bootstrap(values[variant].to_numpy()).mean if variant in values else np.nan
        rows.append({"variant": variant, "level": level, **mean._asdict()})
        if not mean.n:
            continue
        if place == 0:  # nothing differs from itself: how large the measure is there
            axes.annotate(
                f"{first.mean:.2f}",
                (0, 0),
                (3, 0),
                textcoords="offset points",
                fontsize=6,
                va="center",
                color="#222222",
            )
            axes.plot([0], [0], marker="o", markersize=4, color="#222222")
            continue
        aside = np.linspace(-0.2, 0.2, len(known)) if len(known) > 1 else np.zeros(len(known))
        axes.scatter(known, place + aside, s=6, color=_COLOUR, alpha=0.35, linewidths=0, zorder=2)
        reach = np.nan_to_num(np.abs(np.array([[mean.low], [mean.high]]) - mean.mean))
        axes.errorbar(
            [mean.mean], [place], xerr=reach, color="#222222", marker="o", markersize=4, linewidth=1.2, capsize=2.2,
            zorder=4,
        )  # fmt: skip
    largest = max([0.05, *(abs(away[name]).max() for name in away if np.isfinite(away[name]).any())])
    axes.set(ylim=(len(variants) - 0.5, -0.5), xlim=(-1.08 * largest, 1.08 * largest))
    axes.set_title(counted(first.n, measure), fontsize=6.5)
    return rows
