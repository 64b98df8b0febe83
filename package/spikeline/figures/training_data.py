"""The figure ``training_data``: accuracy against the amount of simulated data that SimSort was trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from spikeline.artifacts import Provenance
from spikeline.errors import FormatError
from spikeline.figures.reference import NOT_AVAILABLE
from spikeline.figures.saving import save_figure
from spikeline.figures.study_courses import draw_course
from spikeline.figures.study_measures import MEASURES, read_studies, variants_of
from spikeline.figures.style import MILLIMETRE, figure_style, mark_scale, panel_letter

__all__ = ["draw_training_data"]

_AMOUNTS = {
    "recording": ("minutes", "different simulated recording (min)"),
    "neurons": ("neurons", "simulated neurons (bank entries)"),
}


def draw_training_data(
    table_csvs: Sequence[str | Path],
    out_prefix: str | Path,
    *,
    studies: Mapping[str, Mapping[str, Any]],
    tier: str = "standard",
    provenance: Provenance | None = None,
) -> dict[str, Path]:
    """Draw accuracy, detection and identification against the amount of training data, a row for each study.

    Parameters
    ----------
    table_csvs
        Columns study, variant, repeat, recording, unit_id, rule, cell, snr, accuracy, detection_f1, ari, minutes,
        neurons: one row per variant, repeat, unit and rule.
    out_prefix
        Where the figure goes, without an ending.
    studies
        Study -> ``amount``: ``recording`` or ``neurons``.
    tier
        The run's tier; ``quick`` is marked on the figure.
    provenance
        For the manifests.

    Raises
    ------
    FormatError
        If a table is missing, empty or lacks a column, or is of a study that is not given.
    """
    table = read_studies(list(table_csvs))
    names = list(dict.fromkeys(table["study"]))
    if unknown := [name for name in names if name not in studies]:
        raise FormatError(
            f"a table of the study {unknown[0]}", f"one of {', '.join(studies) or 'none'}", "make the tables again"
        )
    drawn = []
    with figure_style():
        figure = Figure(figsize=(180 * MILLIMETRE, (8 + 56 * len(names)) * MILLIMETRE))
        panels = figure.subplots(len(names), len(MEASURES), squeeze=False)
        for row, name in zip(panels, names, strict=True):
            own = table[table["study"] == name]
            column, label = _AMOUNTS[studies[name]["amount"]]
            amounts = own.groupby("variant")[column].mean().to_dict()
            for axes, measure in zip(row, MEASURES, strict=True):
                rows = draw_course(axes, own, measure, amounts)
                drawn += [{"study": name, "axis": column, **point} for point in rows]
                _log_axis(axes, [amounts[variant] for variant in variants_of(own)])
                axes.set_xlabel(label)
            row[0].set_title(f"{name.replace('_', ' ')}   ({row[0].get_title(loc='left')})")
        for axes, letter in zip(panels.ravel(), "abcdefghijklmnopqrstuvwxyz", strict=False):
            panel_letter(axes, letter)
        mark_scale(figure, tier)
        tables = {"means": pd.DataFrame(drawn).assign(paper=NOT_AVAILABLE), "studies": table}
        return save_figure(figure, out_prefix, tables, provenance=provenance)


def _log_axis(axes: Any, amounts: list[float]) -> None:
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(sorted(set(amounts))))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticklabels([f"{amount:.3g}" for amount in sorted(set(amounts))], fontsize=6)
    axes.set_xlim(min(amounts) / 1.3, max(amounts) * 1.3)
