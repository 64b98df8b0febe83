"""The figure ``molds_prediction``: how far ahead held-out trials are predicted, and the delay of activity."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spikeline.artifacts import Provenance
from spikeline.figures.molds_sessions import METHODS, labels_of_methods, mark_simulated, session_title
from spikeline.figures.saving import save_figure
from spikeline.figures.style import MILLIMETRE, figure_style, mark_scale, panel_letter
from spikeline.figures.tables import read_table

__all__ = ["draw_molds_prediction"]


def draw_molds_prediction(
    prediction_csv: str | Path,
    delays_csv: str | Path,
    facts_csv: str | Path,
    out_prefix: str | Path,
    *,
    session: str,
    simulated: bool = False,
    tier: str = "standard",
    provenance: Provenance | None = None,
) -> dict[str, Path]:
    """Draw R2 by method and horizon (a), and what delays make of validation trials (b, c).

    Parameters
    ----------
    prediction_csv
        Columns method, start, bins_ahead, ahead_ms, r2, numbers, trials.
    delays_csv
        Columns delay_ms, validation_likelihood, validation_r2, chosen.
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
    prediction = read_table(prediction_csv, ["method", "start"], ["bins_ahead", "ahead_ms", "r2", "numbers", "trials"])
    delays = read_table(delays_csv, ["chosen"], ["delay_ms", "validation_likelihood", "validation_r2"])
    names = labels_of_methods(prediction, prediction_csv)
    title, facts = session_title(session, facts_csv)
    with figure_style():
        figure = Figure(figsize=(180 * MILLIMETRE, 70 * MILLIMETRE))
        panels = figure.subplots(1, 3, width_ratios=[1.3, 1, 1])
        _draw_horizons(panels[0], prediction, names)
        for axes, column, label in (
            (panels[1], "validation_likelihood", "log-likelihood of validation trials\n(nat per number)"),
            (panels[2], "validation_r2", "R² of validation trials,\none bin ahead"),
        ):
            ordered = delays.sort_values("delay_ms")
            axes.plot(ordered["delay_ms"], ordered[column], color="#000000", marker="o", markersize=3)
            chosen = ordered[ordered["chosen"] == "True"]
            axes.plot(
                chosen["delay_ms"], chosen[column], marker="o", markersize=8, markerfacecolor="none", color="#D55E00",
                linestyle="", markeredgewidth=1.0, clip_on=False,
            )  # fmt: skip
            axes.set(xlabel="activity after input (ms)", ylabel=label, title="ring: the delay used")
        figure.suptitle(title, fontsize=6.5, x=0.01, ha="left")
        for axes, letter in zip(panels, "abc", strict=True):
            panel_letter(axes, letter)
        mark_simulated(figure, simulated)
        mark_scale(figure, tier)
        tables = {"prediction": prediction, "delays": delays, "facts": facts}
        return save_figure(figure, out_prefix, tables, provenance=provenance)


def _draw_horizons(axes: Axes, prediction: pd.DataFrame, names: dict[str, str]) -> None:
    for name, (_, colour, marker) in METHODS.items():
        own = prediction[prediction["method"] == name].sort_values("bins_ahead")
        if len(own):
            axes.plot(
                own["ahead_ms"], own["r2"], color=colour, marker=marker, markersize=3.6, markeredgewidth=0,
                linewidth=1.6 if name == "tensor_em" else 0.9, zorder=4 if name == "tensor_em" else 3,
                label=names[name],
            )  # fmt: skip
    axes.axhline(0, color="#AAAAAA", linewidth=0.6, zorder=0)
    low = max(-1.0, float(prediction["r2"].min()))
    axes.set(
        xlabel="ahead (ms)",
        ylabel="R² of test trials",
        ylim=(min(0.0, low) - 0.03, max(0.1, 1.08 * float(prediction["r2"].max()))),
        xlim=(0, 1.06 * float(prediction["ahead_ms"].max())),
    )
    axes.set_xticks(sorted(prediction["ahead_ms"].unique()))
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=6)
