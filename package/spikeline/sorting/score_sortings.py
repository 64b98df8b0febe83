"""All sortings of one recording scored alike, whether its spikes were simulated or are known from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from spikeline.config.sorting import ScoringSettings
from spikeline.errors import DataError
from spikeline.sorting.sorting_file import read_sorting

if TYPE_CHECKING:
    import spikeinterface as si

__all__ = ["score_sortings"]


def score_sortings(
    recording: si.BaseRecording,
    truth: si.BaseSorting,
    sortings: Mapping[str, str | Path],
    settings: ScoringSettings,
    filter_hz: tuple[float, float],
    *,
    name: str,
    cells: Mapping[str, str] | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The two score tables of one recording.

    Parameters
    ----------
    recording, truth
        With the true spikes as they are stored; where ``settings.true_time`` says so they are moved to each unit's
        extracellular peak.
    sortings
        Sorter's name in the tables -> file written by `spikeline.sorting.sorting_file.write_sorting`.
    settings, filter_hz
        The scorer's numbers, and the band in which SNR and peaks are measured.
    name
        The recording's in the tables.
    cells
        Unit -> cell model that made it, if one did.

    Returns
    -------
    tuple
        ``scores`` and ``counts``; see `spikeline.sorting.scoring.score_sorting`.

    Raises
    ------
    DataError
        If no sorting is given.
    """
    from spikeline.sorting.scoring import aligned_truth, score_sorting
    from spikeline.sorting.snr import unit_peaks

    if not sortings:
        raise DataError("no sorting was given", "at least one", "name a sorter under sorting.sorters")
    peaks = unit_peaks(recording, truth, filter_hz)
    moves = {unit: peak.offset if settings.true_time == "extracellular_peak" else 0 for unit, peak in peaks.items()}
    rate = recording.get_sampling_frequency()
    known = {
        "snr": {unit: peak.snr for unit, peak in peaks.items()},
        "peak_offset_ms": {unit: 1000 * move / rate for unit, move in moves.items()},
    }
    aligned = aligned_truth(truth, moves)
    tables = [
        score_sorting(aligned, read_sorting(path), settings, recording=name, sorter=sorter, cells=cells, **known)
        for sorter, path in sortings.items()
    ]
    scores, counts = (pd.concat(parts, ignore_index=True) for parts in zip(*tables, strict=True))
    return scores, counts
