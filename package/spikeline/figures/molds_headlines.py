"""Headline numbers of MoLDS' experiments on simulated trajectories: a part of the summary."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from spikeline.figures.molds_scores import read_scores, smd_wins

__all__ = ["molds_headlines"]

_CELL = {"n_components": 3, "n_states": 2, "trajectories": 1000, "steps": 240}


def molds_headlines(
    smd_rtpm_csvs: Sequence[str | Path] = (), complex_csvs: Sequence[str | Path] = ()
) -> dict[str, float | int | None]:
    """Numbers by key; those that a run's experiments do not tell are left out.

    ``molds.tensor.{estimator}_markov_error``: median over seeds at 3 components of 2 states, 1000 trajectories, 240
    steps, by simultaneous diagonalisation; ``molds.tensor.seeds``: how many. ``molds.smd_rtpm.smd_wins_percent``:
    cells in which its median error is below the power method's, with the U-statistic; with other estimators their name
    is added. Of experiments of one cell ``molds.em.*_k{K}``: the median Markov error of Tensor-EM over that of EM
    started at the truth, the least adjusted Rand index of Tensor-EM over seeds, and its median iterations to within
    0.001 nat per step of the end over those of EM from one random mixture; without K the worst of them.

    Parameters
    ----------
    smd_rtpm_csvs, complex_csvs
        Tables of the experiments that the figures molds_smd_rtpm and molds_complex show.

    Raises
    ------
    FormatError
        If a table lacks a column.
    """
    found: dict[str, float | int | None] = {}
    if smd_rtpm_csvs:
        found |= _of_tensor_stage(read_scores(smd_rtpm_csvs, ["markov_error"]))
    if complex_csvs:
        found |= _of_em(read_scores(complex_csvs, ["markov_error", "ari", "iterations_near_final"]))
    return found


def _of_tensor_stage(table: pd.DataFrame) -> dict[str, float | int | None]:
    found: dict[str, float | int | None] = {}
    own = table[(table["method"] == "tensor") & (table["decomposition"] == "smd")]
    own = own[np.logical_and.reduce([own[name] == value for name, value in _CELL.items()])]
    for estimator, rows in own.groupby("estimator"):
        found[f"molds.tensor.{estimator}_markov_error"] = _number(rows["markov_error"].median())
        found["molds.tensor.seeds"] = int(rows["seed"].nunique())
    wins = smd_wins(table)
    for estimator, cells in wins.groupby("estimator"):
        ending = "" if estimator == "ustat" else f"_{estimator}"
        found[f"molds.smd_rtpm.smd_wins_percent{ending}"] = _number(100 * cells["smd_lower"].mean())
    return found


def _of_em(table: pd.DataFrame) -> dict[str, float | int | None]:
    each: dict[str, list[float]] = {}
    found: dict[str, float | int | None] = {}
    for _, own in table.groupby("experiment", sort=False):
        if own["cell"].nunique() > 1:
            continue
        by_method = {method: rows for method, rows in own.groupby("method")}
        K = int(own["n_components"].iloc[0])
        numbers = {}
        if {"tensor_em", "truth_em"} <= set(by_method):
            ours, oracle = (by_method[name]["markov_error"].median() for name in ("tensor_em", "truth_em"))
            numbers["markov_error_over_oracle_start"] = ours / oracle
        if "tensor_em" in by_method:
            numbers["ari_min"] = by_method["tensor_em"]["ari"].fillna(0.0).min()
        if {"tensor_em", "random"} <= set(by_method):
            ours, random = (by_method[name]["iterations_near_final"].median() for name in ("tensor_em", "random"))
            numbers["iterations_over_random"] = ours / random if random else np.inf
        if numbers:
            found[f"molds.em.seeds_k{K}"] = int(own["seed"].nunique())
        for name, value in numbers.items():
            found[f"molds.em.{name}_k{K}"] = _number(value)
            each.setdefault(name, []).append(value)
    for name, values in each.items():
        found[f"molds.em.{name}"] = _number(min(values) if name == "ari_min" else max(values))
    return found


def _number(value: float) -> float | None:
    return round(float(value), 9) if np.isfinite(value) else None
