"""How many found units are good, made up, doubles or mixtures, by SpikeInterface's definitions."""

from __future__ import annotations

import numpy as np

from spikeline.config.sorting import ScoringSettings
from spikeline.sorting.scoring.rules import Comparison

__all__ = ["count_units"]

# SpikeInterface looks for the true unit behind an unmatched one among agreements of at least this ("chance score").
_CHANCE_AGREEMENT = 0.1


def count_units(comparison: Comparison, settings: ScoringSettings) -> dict[str, int]:
    """Counts of units of one sorting.

    Returns
    -------
    dict
        ``units_true``, ``units_found``; ``well_detected``: matched with an agreement of at least
        ``well_detected_accuracy``; ``false_positive``: unmatched, and agreeing with no true unit by
        ``redundant_agreement``; ``redundant``:
        unmatched, but agreeing so well with a true unit that another found unit fits better; ``over_merged``:
        agreeing so well (strictly better) with two or more true units.
    """
    agreement, match = comparison.agreement, comparison.match
    n_true, n_found = agreement.shape
    matched = np.isin(np.arange(n_found), match[match >= 0])
    threshold = max(settings.redundant_agreement, _CHANCE_AGREEMENT)
    # A row and a column of zeros stand for "no unit", so that empty sides need no special case.
    padded = np.zeros((n_true + 1, n_found + 1))
    padded[:n_true, :n_found] = agreement
    best_true, best_found = padded.argmax(axis=0)[:n_found], padded.argmax(axis=1)
    close = padded.max(axis=0)[:n_found] >= threshold
    return {
        "units_true": n_true,
        "units_found": n_found,
        "well_detected": sum(
            int(j >= 0 and agreement[i, j] >= settings.well_detected_accuracy) for i, j in enumerate(match)
        ),
        "false_positive": int((~matched & ~close).sum()),
        "redundant": int((~matched & close & (best_found[best_true] != np.arange(n_found))).sum()),
        "over_merged": int(((agreement > settings.redundant_agreement).sum(axis=0) > 1).sum()),
    }
