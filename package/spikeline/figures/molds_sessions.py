"""What the figures of MoLDS on neural sessions share: names and colours of methods, the watermark, the title."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from spikeline.errors import FormatError
from spikeline.figures.style import unit_colour
from spikeline.figures.tables import read_table

__all__ = [
    "METHODS",
    "component_colour",
    "fit_label",
    "labels_of_methods",
    "mark_simulated",
    "refuse_unknown_methods",
    "session_title",
]

METHODS = {
    "tensor_em": ("Tensor-EM", "#000000", "o"),
    "tensor": ("its start alone", "#56B4E9", "s"),
    "random_em": ("EM, one random start", "#E69F00", "v"),
    "random_em_best": ("EM, best random start", "#D55E00", "^"),
    "single_trials": ("single trials clustered", "#009E73", "D"),
    "switching": ("switching system", "#CC79A7", "P"),
    "directions": ("system per direction", "#0072B2", "X"),
    "one_system": ("one system", "#7F7F7F", "."),
}
"""Name -> label, colour, marker."""

_FACTS = (
    "train", "validation", "test", "median_bins", "bin_ms", "units", "outputs", "explained_share", "delay_ms",
    "input_lags", "input_rank", "input_dimension", "input_condition", "input_correlation", "input_correlation_filtered",
)  # fmt: skip

_FITS = {
    "tensor": "Tensor-EM",
    "short_runs": "EM after short runs",
    "fir_kmeans": "EM from clusters of trials",
    "random": "EM from a random mixture",
}
"""Where it started -> what the fit is called."""


def fit_label(start: str) -> str:
    """What a fit is called that started there: Tensor-EM is one that started from moments.

    Raises
    ------
    FormatError
        If nothing is known of such a start.
    """
    if start not in _FITS:
        raise FormatError(f"a fit that started from {start!r}", f"one of {', '.join(_FITS)}", "make the table again")
    return _FITS[start]


def labels_of_methods(table: pd.DataFrame, path: str | Path) -> dict[str, str]:
    """What each method is called on the figure of this table: our own fit by where it started.

    Raises
    ------
    FormatError
        If the table has a method or a start that nothing is known of, or no row of our fit.
    """
    refuse_unknown_methods(table, path)
    own = table.loc[table["method"] == "tensor_em", "start"]
    if own.empty:
        raise FormatError(f"{path} has no row of the method tensor_em", "one for each method", "make the table again")
    return {name: label for name, (label, *_) in METHODS.items()} | {"tensor_em": fit_label(own.iloc[0])}


def component_colour(component: int) -> str:
    """The colour of a component, the same in all figures of a session."""
    return unit_colour(component)


def refuse_unknown_methods(table: pd.DataFrame, path: str | Path) -> None:
    """Refuse a table with a method that has no colour.

    Raises
    ------
    FormatError
        Naming it.
    """
    unknown = sorted(set(table["method"]) - set(METHODS))
    if unknown:
        raise FormatError(f"{path} has the method {unknown[0]}", f"one of {', '.join(METHODS)}", "make the table again")


def mark_simulated(figure: Figure, simulated: bool) -> None:
    """Write SIMULATED across a figure of a session that was never recorded."""
    if simulated:
        figure.text(
            0.5, 0.5, "SIMULATED", fontsize=64, fontweight="bold", color="#000000", alpha=0.07, rotation=24,
            ha="center", va="center", zorder=100,
        )  # fmt: skip


def session_title(name: str, facts_csv: str | Path) -> tuple[str, pd.DataFrame]:
    """One line that says what was looked at, from the table of facts; and that table."""
    table = read_table(facts_csv, ["fact"], ["value"])
    facts = table.set_index("fact")["value"]
    missing = [fact for fact in _FACTS if fact not in facts]
    if missing:
        raise FormatError(f"{facts_csv} has no fact {missing[0]}", ", ".join(_FACTS), "make the table again")
    return (
        f"{name.replace('_', ' ')}: {facts['train']:.0f} + {facts['validation']:.0f} + {facts['test']:.0f} trials "
        f"(fit, choose, test), median {facts['median_bins']:.0f} bins of {facts['bin_ms']:g} ms, "
        f"{facts['units']:.0f} units, {facts['outputs']:.0f} principal components "
        f"({100 * facts['explained_share']:.0f} % of variance)"
    ), table
