"""The score tables: one row per true unit, sorter and rule; and one row of unit counts per sorter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from spikeline.config.sorting import ScoringSettings
from spikeline.errors import DataError
from spikeline.sorting.scoring.collisions import colliding_spikes
from spikeline.sorting.scoring.matching import matched_spikes, tolerance_in_samples
from spikeline.sorting.scoring.rules import RULES, Comparison, compare
from spikeline.sorting.scoring.unit_counts import count_units
from spikeline.sorting.sorting_file import spikes_of

if TYPE_CHECKING:
    import spikeinterface as si

__all__ = ["COUNT_COLUMNS", "SCORE_COLUMNS", "score_sorting"]

SCORE_COLUMNS = [
    "recording", "sorter", "unit_id", "rule", "accuracy", "precision", "recall", "f1",
    "n_true", "n_found", "n_matched", "matched_unit",
    "snr", "collision_fraction", "recall_in_collisions", "recall_outside_collisions", "cell",
    "peak_offset_ms",
]  # fmt: skip
_GIVEN = ("recording", "sorter", "snr", "cell", "peak_offset_ms")
COUNT_COLUMNS = [
    "recording",
    "sorter",
    "units_true",
    "units_found",
    "well_detected",
    "false_positive",
    "redundant",
    "over_merged",
    "note",
]


def score_sorting(
    truth: si.BaseSorting,
    sorting: si.BaseSorting,
    settings: ScoringSettings,
    *,
    recording: str,
    sorter: str,
    snr: Mapping[str, float] | None = None,
    peak_offset_ms: Mapping[str, float] | None = None,
    cells: Mapping[str, str] | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score one sorting by both rules.

    Parameters
    ----------
    truth, sorting
        True and found units of the same recording.
    settings
        The rules' numbers.
    recording, sorter
        Their names in the tables.
    snr, cells, peak_offset_ms
        Signal-to-noise ratio, cell model, and how far its spike times were moved (`aligned_truth`), of each true unit
        by unit id; may be left out.

    Returns
    -------
    scores
        `SCORE_COLUMNS`. accuracy = TP / (TP + FN + FP), recall = TP / n_true, precision = TP / n_found of the matched
        unit, f1 their harmonic mean; all 0 for an unmatched unit, whose ``matched_unit`` is empty and ``n_found`` 0.
        ``collision_fraction`` is the share of a unit's spikes within ``collision_ms`` of a spike of another true
        unit; the two recalls are those of the spikes inside and outside such collisions, NaN where there are none.
    counts
        `COUNT_COLUMNS`, one row: see `count_units`, by SpikeInterface's rule, whose definitions they are; ``note``
        says why a sorter found nothing.

    Raises
    ------
    DataError
        If the two sortings have different sampling rates, or a true unit lacks an SNR.
    """
    rate = truth.get_sampling_frequency()
    if sorting.get_sampling_frequency() != rate:
        raise DataError(
            f"the sorting is sampled at {sorting.get_sampling_frequency():g} Hz, the truth at {rate:g} Hz",
            "two sortings of one recording",
            f"check that {sorter} sorted {recording}",
        )
    true, found = spikes_of(truth), spikes_of(sorting)
    for name, values in (("SNR", snr), ("cell", cells), ("peak offset", peak_offset_ms)):
        missing = [unit for unit in true[2] if values is not None and unit not in values]
        if missing:
            raise DataError(
                f"no {name} is given for true unit {missing[0]!r}",
                "one value per true unit",
                "compute it for the same units",
            )
    comparisons = {
        rule: compare(true[0], true[1], len(true[2]), found[0], found[1], len(found[2]), rate, rule, settings)
        for rule in RULES
    }
    colliding = colliding_spikes(true[0], true[1], tolerance_in_samples(settings.collision_ms, rate))
    rows = [row for comparison in comparisons.values() for row in _unit_rows(comparison, true, found, colliding)]
    scores = pd.DataFrame(rows, columns=[c for c in SCORE_COLUMNS if c not in _GIVEN])
    scores["recording"], scores["sorter"] = recording, sorter
    scores["snr"] = [np.nan if snr is None else float(snr[unit]) for unit in scores["unit_id"]]
    offsets = peak_offset_ms or {}
    scores["peak_offset_ms"] = [float(offsets.get(unit, 0.0)) for unit in scores["unit_id"]]
    scores["cell"] = ["" if cells is None else str(cells[unit]) for unit in scores["unit_id"]]
    note = str(sorting.get_annotation("note") or "")
    counts = pd.DataFrame(
        [
            {
                "recording": recording,
                "sorter": sorter,
                **count_units(comparisons["spikeinterface"], settings),
                "note": note,
            }
        ]
    )
    return scores[SCORE_COLUMNS], counts[COUNT_COLUMNS]


def _unit_rows(
    comparison: Comparison,
    true: tuple[np.ndarray, np.ndarray, list[str]],
    found: tuple[np.ndarray, np.ndarray, list[str]],
    colliding: np.ndarray,
) -> list[dict[str, object]]:
    rows = []
    for i, (unit, j, n_matched) in enumerate(zip(true[2], comparison.match, comparison.matched_counts, strict=True)):
        of_unit = true[1] == i
        collides = colliding[of_unit]
        hit = np.zeros(int(of_unit.sum()), dtype=bool)
        if j >= 0:
            hit = matched_spikes(
                true[0][of_unit], found[0][found[1] == j], comparison.tolerance, one_to_one=comparison.rule == "simsort"
            )
        n_true, n_found = int(comparison.n_true_spikes[i]), int(comparison.n_found_spikes[j]) if j >= 0 else 0
        rows.append(
            {
                "unit_id": unit,
                "rule": comparison.rule,
                "accuracy": float(comparison.agreement[i, j]) if j >= 0 else 0.0,
                "precision": n_matched / n_found if n_found else 0.0,
                "recall": n_matched / n_true if n_true else 0.0,
                "f1": 2 * n_matched / (n_true + n_found) if n_true + n_found else 0.0,
                "n_true": n_true,
                "n_found": n_found,
                "n_matched": int(n_matched),
                "matched_unit": found[2][j] if j >= 0 else "",
                "collision_fraction": float(collides.mean()) if n_true else np.nan,
                "recall_in_collisions": float(hit[collides].mean()) if collides.any() else np.nan,
                "recall_outside_collisions": float(hit[~collides].mean()) if (~collides).any() else np.nan,
            }
        )
    return rows
