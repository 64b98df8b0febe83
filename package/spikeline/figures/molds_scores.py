"""What the figures of MoLDS have in common: their tables, medians over seeds, names and colours of methods."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axis import Axis
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator

from spikeline.figures.tables import read_table

__all__ = ["AXES", "ESTIMATORS", "METHODS", "log_ticks", "medians", "read_scores", "smd_wins", "swept_axis"]

ESTIMATORS = {
    "ustat": "U-statistic (ours)",
    "stein": "Stein, all samples",
    "stein_published": "Stein as published",
}
"""Estimator of moments -> its name on figures."""

METHODS = {
    "tensor": ("tensor alone", "#56B4E9"),
    "random": ("random EM, one", "#999999"),
    "random_best": ("random EM, best", "#E69F00"),
    "tensor_em": ("Tensor-EM", "#D55E00"),
    "truth_em": ("EM from the truth", "#009E73"),
}
"""Method -> its name on figures, and its colour."""

AXES = {
    "trajectories": "trajectories",
    "steps": "steps of a trajectory",
    "n_components": "components",
    "n_states": "states of a component",
    "process_noise": "variance of states' noise",
    "observation_noise": "variance of outputs' noise",
}
"""Column that an experiment may vary -> its label."""

_NAMES = ["experiment", "cell", "method", "estimator", "decomposition"]


def read_scores(paths: Sequence[str | Path], measures: Sequence[str]) -> pd.DataFrame:
    """Tables of experiments as one; a fit that came to no end has infinite errors, and no other measure."""
    numbers = [*AXES, "seed", *measures]
    table = pd.concat([read_table(path, _NAMES, numbers) for path in paths], ignore_index=True)
    failed = table["note"].notna() & table["markov_error"].isna() if "note" in table else table["markov_error"].isna()
    for measure in set(measures) & {"markov_error", "weight_l1"}:
        table.loc[failed, measure] = np.inf
    return table


def medians(table: pd.DataFrame, by: Sequence[str], measure: str) -> pd.DataFrame:
    """Median and quartiles of a measure over seeds, and how many seeds there are."""
    grouped = table.groupby(list(by), sort=False)[measure]
    # the nearest seed's value: quartiles between a finite and an infinite one would be undefined
    quartiles = {"low": (0.25, "lower"), "median": (0.5, "midpoint"), "high": (0.75, "higher")}
    found = pd.DataFrame({name: grouped.quantile(q, interpolation=how) for name, (q, how) in quartiles.items()})
    found["n"] = grouped.count()
    found.loc[(found["n"] > 0) & found["median"].isna(), "median"] = np.inf
    return found.reset_index()


def smd_wins(table: pd.DataFrame) -> pd.DataFrame:
    """For each estimator and cell the median error of both decompositions, and whether that of SMD is the lower one."""
    own = table[table["method"] == "tensor"]
    middle = medians(own, ["experiment", "estimator", "cell", "trajectories", "steps", "decomposition"], "markov_error")
    both = middle.pivot_table(
        index=["experiment", "estimator", "cell", "trajectories", "steps"],
        columns="decomposition",
        values="median",
        sort=False,
        dropna=False,
    )
    both = both.reindex(columns=["smd", "rtpm"]).dropna(how="any").reset_index()
    return both.assign(smd_lower=(both["smd"] < both["rtpm"]).astype(int))


def swept_axis(table: pd.DataFrame) -> str | None:
    """The column that an experiment varies: the first of `AXES` with several values, None without one."""
    return next((axis for axis in AXES if table[axis].nunique() > 1), None)


def log_ticks(axis: Axis, places: Sequence[float] | None = None) -> None:
    """Plain numbers on a logarithmic axis: at 1, 2 and 5 of every decade, or at the places that were measured."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)) if places is None else FixedLocator(list(places)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
