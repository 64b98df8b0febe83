"""What SimSort's studies are judged by: three measures, each over items that are compared one by one."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from spikeline.artifacts import seed_stream
from spikeline.figures.tables import read_table

__all__ = ["MEASURES", "Interval", "bootstrap", "counted", "differences", "items", "read_studies", "variants_of"]

MEASURES = {
    "accuracy": "accuracy of the sorting",
    "detection_f1": "F1 of the detection",
    "ari": "adjusted Rand index",
}
"""Column -> what it measures. Accuracy is of a unit, by SpikeInterface's rule; the others are of a recording."""

_NAMES = ["study", "variant", "recording", "unit_id", "rule", "cell"]
_NUMBERS = ["repeat", *MEASURES, "minutes", "neurons", "snr"]
_DRAWS = 2000


class Interval(NamedTuple):
    """A mean over ``n`` items, and the middle 95 % of means over items drawn again with replacement."""

    mean: float
    low: float
    high: float
    n: int


def read_studies(paths: list[str | Path]) -> pd.DataFrame:
    """Tables of studies as one."""
    return pd.concat([read_table(path, _NAMES, _NUMBERS) for path in paths], ignore_index=True)


def variants_of(table: pd.DataFrame) -> list[str]:
    """Variants of one study in the order in which they stand in its table."""
    return list(dict.fromkeys(table["variant"]))


def items(table: pd.DataFrame, measure: str, by: str = "variant") -> pd.DataFrame:
    """One value per item, a column per variant: units for accuracy, recordings for the other measures.

    Repeats of a training are averaged, so that an item counts once however often the training was repeated.

    Parameters
    ----------
    table
        Of one study.
    measure
        Of `MEASURES`.
    by
        Column whose values become columns.
    """
    own = table[table["rule"] == "spikeinterface"]
    item = ["recording", "unit_id", "cell"] if measure == "accuracy" else ["recording"]
    once = own.drop_duplicates([*item, by, "repeat"])
    return once.pivot_table(index=item, columns=by, values=measure, aggfunc="mean", sort=False)


def differences(table: pd.DataFrame, measure: str) -> pd.DataFrame:
    """What each item has more than under the first variant."""
    values, first = items(table, measure), variants_of(table)[0]
    if first not in values:
        return pd.DataFrame(columns=variants_of(table), dtype=float)
    return values.sub(values[first], axis=0)


def counted(n: int, measure: str) -> str:
    """How many items a measure is of, in words."""
    return f"{n} {'unit' if measure == 'accuracy' else 'recording'}{'' if n == 1 else 's'}"


def bootstrap(values: np.ndarray) -> Interval:
    """Mean and bootstrap interval (percentiles 2.5 and 97.5) of finite values; no interval for fewer than two."""
    values = np.asarray(values, np.float64)
    values = values[np.isfinite(values)]
    n = len(values)
    if n < 2:
        return Interval(float(values.mean()) if n else np.nan, np.nan, np.nan, n)
    draws = seed_stream(0, "bootstrap", str(n)).integers(0, n, (_DRAWS, n))
    low, high = np.percentile(values[draws].mean(axis=1), [2.5, 97.5])
    return Interval(float(values.mean()), float(low), float(high), n)
