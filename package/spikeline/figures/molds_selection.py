"""The figure ``molds_selection``: how many components and states a session asks for."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from spikeline.artifacts import Provenance
from spikeline.figures.molds_sessions import fit_label, mark_simulated, session_title
from spikeline.figures.saving import save_figure
from spikeline.figures.style import MILLIMETRE, figure_style, mark_scale, panel_letter
from spikeline.figures.tables import read_table

__all__ = ["draw_molds_selection"]

_STATE_COLOURS = ("#56B4E9", "#009E73", "#E69F00", "#D55E00", "#CC79A7", "#0072B2", "#000000", "#7F7F7F")
_PANELS = {
    "bic": ("BIC of the trials fitted to\n(less the least)", "BIC", True),
    "validation_bic": ("BIC of validation trials\n(less the least)", "BIC, validation", True),
    "validation_nll": (
        "negative log-likelihood of\nvalidation trials (nat per number)",
        "likelihood, validation",
        False,
    ),
}
_CORRELATIONS = {"input_correlation": "correlation over time", "input_correlation_filtered": "filtered"}
_CRITERION = {"bic": "bic", "validation_bic": "validation_bic", "validation_likelihood": "validation_nll"}


def draw_molds_selection(
    selection_csv: str | Path,
    facts_csv: str | Path,
    out_prefix: str | Path,
    *,
    session: str,
    simulated: bool = False,
    true_components: int | None = None,
    published: tuple[int, str] | None = None,
    tier: str = "standard",
    provenance: Provenance | None = None,
) -> dict[str, Path]:
    """Draw both BICs and the validation trials' likelihood over K, a line for each n.

    Parameters
    ----------
    selection_csv
        Columns components, states, bic, validation_bic, validation_likelihood, chosen, criterion, start, problem.
    facts_csv
        Columns fact, value.
    out_prefix
        Where the figure goes, without an ending.
    session
        Its name.
    simulated, true_components
        Whether it was never recorded, and of how many systems it was made.
    published
        The number of components that was published for this data set, and where it stands.
    tier
        The run's tier; ``quick`` is marked on the figure.
    provenance
        For the manifests.

    Raises
    ------
    FormatError
        If a table is missing, empty or lacks a column.
    """
    numbers = ["components", "states", "bic", "validation_bic", "validation_likelihood"]
    table = read_table(selection_csv, ["criterion", "start", "chosen"], numbers)
    table["validation_nll"] = -table["validation_likelihood"]
    title, facts = session_title(session, facts_csv)
    criterion = _CRITERION.get(table["criterion"].iloc[0], "")
    with figure_style():
        figure = Figure(figsize=(180 * MILLIMETRE, 66 * MILLIMETRE))
        panels = figure.subplots(1, len(_PANELS))
        for axes, (column, (label, name, from_least)) in zip(panels, _PANELS.items(), strict=True):
            _draw_criterion(axes, table, column, from_least)
            axes.set(xlabel="components K", ylabel=label)
            axes.set_title(name + (": chooses" if column == criterion else ""))
            if true_components is not None:
                axes.axvline(true_components, color="#555555", linewidth=0.7, linestyle=":", zorder=0)
            if published is not None:
                axes.axvline(published[0], color="#D55E00", linewidth=0.7, linestyle="--", zorder=0)
        _legend(panels[-1], true_components, published)
        figure.suptitle(f"{title}\n{_starts(table)}. {_inputs(facts)}", fontsize=6.5, x=0.01, ha="left")
        for axes, letter in zip(panels, "abc", strict=True):
            panel_letter(axes, letter)
        mark_simulated(figure, simulated)
        mark_scale(figure, tier)
        return save_figure(figure, out_prefix, {"selection": table, "facts": facts}, provenance=provenance)


def _starts(table: pd.DataFrame) -> str:
    """What the fits are, by where they started; those that failed have no start."""
    fitted = table.loc[table["bic"].notna(), "start"]
    return "; ".join(f"{fit_label(start)}: {count} sizes" for start, count in fitted.value_counts(sort=False).items())


def _inputs(facts: pd.DataFrame) -> str:
    """Whether inputs allow moments: see `spikeline.dynamics.moments.persistency`."""
    value = facts.set_index("fact")["value"]
    told = [f"{words} {value[name]:.2f}" for name, words in _CORRELATIONS.items() if math.isfinite(value[name])]
    return (
        f"Inputs: lagged covariance of rank {value['input_rank']:.0f} of {value['input_dimension']:.0f}, condition "
        f"{value['input_condition']:.2g}" + (f"; {', '.join(told)}" if told else "")
    )


def _draw_criterion(axes: Axes, table: pd.DataFrame, column: str, from_least: bool) -> None:
    least = table[column].min() if from_least else 0.0
    for place, (states, own) in enumerate(table.groupby("states")):
        own = own.dropna(subset=[column]).sort_values("components")
        colour = _STATE_COLOURS[place % len(_STATE_COLOURS)]
        axes.plot(
            own["components"], own[column] - least, color=colour, marker="o", markersize=2.8, label=f"n = {states:.0f}"
        )
    chosen = table[table["chosen"] == "True"]
    axes.plot(
        chosen["components"], chosen[column] - least, marker="o", markersize=8, markerfacecolor="none", color="#000000",
        linestyle="", markeredgewidth=1.0,
    )  # fmt: skip
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _legend(axes: Axes, true_components: int | None, published: tuple[int, str] | None) -> None:
    axes.plot([], [], marker="o", markersize=6, markerfacecolor="none", color="#000000", linestyle="", label="chosen")
    if true_components is not None:
        axes.plot([], [], color="#555555", linewidth=0.7, linestyle=":", label=f"simulated: {true_components}")
    if published is not None:
        axes.plot([], [], color="#D55E00", linewidth=0.7, linestyle="--", label=f"{published[1]}: {published[0]}")
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=6)
