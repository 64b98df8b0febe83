"""The figure ``fine_tuning``: SimSort's networks before and after they were tuned on a little of a recording."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from spikeline.artifacts import Provenance
from spikeline.figures.reference import NOT_AVAILABLE
from spikeline.figures.saving import save_figure
from spikeline.figures.study_courses import draw_course
from spikeline.figures.study_measures import MEASURES
from spikeline.figures.style import MILLIMETRE, figure_style, mark_scale, panel_letter
from spikeline.figures.tables import read_table

__all__ = ["draw_fine_tuning"]


def draw_fine_tuning(
    table_csv: str | Path, out_prefix: str | Path, *, tier: str = "standard", provenance: Provenance | None = None
) -> dict[str, Path]:
    """Draw accuracy (a), detection (b) and identification (c) against the seconds of labelled recording.

    Parameters
    ----------
    table_csv
        Columns labelled_s, repeat, recording, unit_id, rule, cell, accuracy, detection_f1, ari: one row per amount,
        repeat, unit and rule.
    out_prefix
        Where the figure goes, without an ending.
    tier
        The run's tier; ``quick`` is marked on the figure.
    provenance
        For the manifests.

    Raises
    ------
    FormatError
        If the table is missing, empty or lacks a column.
    """
    table = read_table(table_csv, ["recording", "unit_id", "rule", "cell"], ["labelled_s", "repeat", *MEASURES])
    seconds = sorted(set(table["labelled_s"]))
    places = {labelled_s: float(place) for place, labelled_s in enumerate(seconds)}
    drawn = []
    with figure_style():
        figure = Figure(figsize=(180 * MILLIMETRE, 64 * MILLIMETRE))
        panels = figure.subplots(1, len(MEASURES))
        for axes, measure, letter in zip(panels, MEASURES, "abc", strict=True):
            drawn += draw_course(axes, table, measure, places, by="labelled_s")
            axes.set_xticks(range(len(seconds)), [f"{labelled_s:g}" for labelled_s in seconds])
            axes.set(xlabel="labelled recording (s)", xlim=(-0.3, len(seconds) - 0.7))
            panel_letter(axes, letter)
        mark_scale(figure, tier)
        tables = {"means": pd.DataFrame(drawn).drop(columns="amount").assign(paper=NOT_AVAILABLE), "scores": table}
        return save_figure(figure, out_prefix, tables, provenance=provenance)
