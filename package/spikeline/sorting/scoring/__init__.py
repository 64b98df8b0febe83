"""One scorer, two rules side by side: SpikeInterface's default and SimSort's."""

from spikeline.sorting.scoring.alignment import aligned_truth
from spikeline.sorting.scoring.rules import RULES, Comparison, compare
from spikeline.sorting.scoring.tables import COUNT_COLUMNS, SCORE_COLUMNS, score_sorting
from spikeline.sorting.scoring.unit_counts import count_units

__all__ = [
    "COUNT_COLUMNS",
    "Comparison",
    "RULES",
    "SCORE_COLUMNS",
    "compare",
    "aligned_truth",
    "count_units",
    "score_sorting",
]
