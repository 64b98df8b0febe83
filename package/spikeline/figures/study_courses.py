"""Panels that show how a measure goes with an amount: every item as a thin line, their mean with its interval."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from spikeline.figures.study_measures import MEASURES, bootstrap, counted, items

__all__ = ["draw_course"]

_COLOURS = {"accuracy": "#000000", "detection_f1": "#D55E00", "ari": "#0072B2"}


def draw_course(
    axes: Axes, table: pd.DataFrame, measure: str, amounts: Mapping[object, float], by: str = "variant"
) -> list[dict[str, object]]:
    """Draw one measure of one study against an amount.

    Parameters
    ----------
    axes
        Empty.
    table
        Of one study.
    measure
        Of `study_measures.MEASURES`.
    amounts
        Value of ``by`` -> place on the x axis.
    by
        Column of the table that tells the lines' points apart.

    Returns
    -------
    list
        What was drawn: one row per point of the mean.
    """
    values = items(table, measure, by)
    order = sorted((name for name in amounts if name in values), key=amounts.__getitem__)
    x = np.array([amounts[name] for name in order], np.float64)
    colour = _COLOURS[measure]
    for _, item in values[order].iterrows():
        axes.plot(x, item.to_numpy(float), color=colour, linewidth=0.4, alpha=0.3, marker=".", markersize=2)
    means = [bootstrap(values[name].to_numpy()) for name in order]
    middle = np.array([mean.mean for mean in means])
    reach = np.abs(np.array([[mean.low, mean.high] for mean in means]).T - middle)
    axes.errorbar(
        x, middle, np.nan_to_num(reach), color=colour, marker="o", markersize=3.6, linewidth=1.3, capsize=2, zorder=3
    )
    axes.set(ylim=(-0.03, 1.03), ylabel=MEASURES[measure])
    axes.set_title(counted(max((mean.n for mean in means), default=0), measure), fontsize=6)
    return [
        {"measure": measure, by: name, "amount": amount, **mean._asdict()}
        for name, amount, mean in zip(order, x, means, strict=True)
    ]
