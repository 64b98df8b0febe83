"""The figure ``held_out_classes``: accuracy by cell class, with classes held out of SimSort's training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spikeline.artifacts import Provenance
from spikeline.figures.reference import NOT_AVAILABLE
from spikeline.figures.saving import save_figure
from spikeline.figures.study_measures import bootstrap, items, read_studies, variants_of
from spikeline.figures.style import CLASS_COLOURS, MILLIMETRE, cell_class, figure_style, mark_scale, panel_letter

__all__ = ["draw_held_out_classes"]


def draw_held_out_classes(
    table_csvs: Sequence[str | Path],
    out_prefix: str | Path,
    *,
    tier: str = "standard",
    provenance: Provenance | None = None,
) -> dict[str, Path]:
    """Draw the accuracy of units of each cell class under each variant of the training, a row for each study.

    Parameters
    ----------
    table_csvs
        As for `spikeline.figures.training_data.draw_training_data`; ``cell`` tells the class.
    out_prefix
        Where the figure goes, without an ending.
    tier
        The run's tier; ``quick`` is marked on the figure.
    provenance
        For the manifests.

    Raises
    ------
    FormatError
        If a table is missing, empty or lacks a column.
    """
    table = read_studies(list(table_csvs))
    table["cell_class"] = table["cell"].map(cell_class)
    names = list(dict.fromkeys(table["study"]))
    classes = [name for name in CLASS_COLOURS if name in set(table["cell_class"])]
    drawn = []
    with figure_style():
        figure = Figure(figsize=(180 * MILLIMETRE, (8 + 66 * len(names)) * MILLIMETRE))
        panels = figure.subplots(len(names), len(classes), squeeze=False, sharey=True)
        for row, name in zip(panels, names, strict=True):
            own = table[table["study"] == name]
            for axes, kind in zip(row, classes, strict=True):
                rows = _draw_class(axes, own, kind)
                drawn += [{"study": name, "cell_class": kind, **point} for point in rows]
            row[0].set_ylabel("accuracy of the unit")
            row[0].set_title(
                f"{name.replace('_', ' ')}: {row[0].get_title(loc='left')}"
                if len(names) > 1
                else row[0].get_title(loc="left")
            )
        for axes, letter in zip(panels.ravel(), "abcdefghijklmnopqrstuvwxyz", strict=False):
            panel_letter(axes, letter)
        mark_scale(figure, tier)
        tables = {"means": pd.DataFrame(drawn).assign(paper=NOT_AVAILABLE), "studies": table}
        return save_figure(figure, out_prefix, tables, provenance=provenance)


def _draw_class(axes: Axes, study: pd.DataFrame, kind: str) -> list[dict[str, object]]:
    own = study[study["cell_class"] == kind]
    variants, neurons = variants_of(study), study.groupby("variant")["neurons"].mean()
    values = items(own, "accuracy").reindex(columns=variants) if len(own) else pd.DataFrame(columns=variants)
    colour, rows = CLASS_COLOURS[kind], []
    aside = np.linspace(-0.15, 0.15, len(values)) if len(values) > 1 else np.zeros(len(values))
    for away, (_, unit) in zip(aside, values.iterrows(), strict=True):
        axes.plot(away + np.arange(len(variants)), unit.to_numpy(float), color=colour, linewidth=0.4, alpha=0.35)
    for place, variant in enumerate(variants):
        of_units = values[variant].to_numpy(float)
        axes.scatter(place + aside, of_units, s=7, color=colour, alpha=0.45, linewidths=0, zorder=2)
        mean = bootstrap(of_units)
        rows.append({"variant": variant, "neurons": neurons[variant], **mean._asdict()})
        if mean.n:
            reach = np.nan_to_num(np.abs(np.array([[mean.low], [mean.high]]) - mean.mean))
            axes.errorbar(
                [place], [mean.mean], reach, color="#222222", marker="_", markersize=13, markeredgewidth=1.6,
                linewidth=1.1, capsize=2.5, zorder=4,
            )  # fmt: skip
    labels = [f"{variant.replace('_', ' ')}\n{neurons[variant]:.0f} neurons" for variant in variants]
    axes.set_xticks(range(len(variants)), labels, fontsize=6, rotation=20, ha="right")
    axes.set(xlim=(-0.5, len(variants) - 0.5), ylim=(-0.03, 1.03))
    axes.set_title(f"{kind} units ({len(values)})")
    return rows
