"""Scores of real recordings whose true spikes are known: from sortings and a data set to the two score tables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from spikeline.artifacts import Provenance, write_csv
from spikeline.config.sorting import ScoringSettings
from spikeline.errors import DataError
from spikeline.sorting.score_sortings import score_sortings

__all__ = ["score_dataset_to_files"]


def score_dataset_to_files(
    dataset: str,
    data_root: str | Path,
    table_path: str | Path,
    sortings: Mapping[str, str | Path],
    scores_csv: str | Path,
    counts_csv: str | Path,
    settings: ScoringSettings,
    filter_hz: tuple[float, float],
    *,
    provenance: Provenance | None = None,
) -> None:
    """Score all sortings of one data set against its ground truth, as recordings of our own are scored.

    Parameters
    ----------
    dataset, data_root, table_path
        An entry of the data-set table whose layout has ground truth; its name is the recording's name in the tables.
    sortings
        Sorter's name in the tables -> file written by `spikeline.sorting.steps.sort_dataset_to_file`.
    scores_csv, counts_csv
        Where the tables go; see `spikeline.sorting.scoring.score_sorting`. ``cell`` is empty, as no cell model made
        the spikes. ``peak_offset_ms`` is how far a unit was moved beyond ``peak_offset_samples`` of the entry.
        ``false_positive`` is empty unless the entry says that its truth is complete and all of it is scored: elsewhere
        a unit that fits no true one may well be a neuron.
    settings, filter_hz
        The scorer's numbers, and the band in which SNR and peaks are measured.
    provenance
        For the manifests.

    Raises
    ------
    DataError
        If no sorting is given, or the data set has no ground truth.
    """
    from spikeline.data.dataset_table import read_dataset_table
    from spikeline.data.readers import read_dataset_recording, read_ground_truth

    table = read_dataset_table(table_path)
    truth = read_ground_truth(dataset, data_root, table)
    if truth is None:
        raise DataError(
            f"data set {dataset!r} has no ground truth to score against",
            "a layout with true spikes, with their file in place",
            "score another data set; docs/datasets.md says which layouts have true spikes",
        )
    recording = read_dataset_recording(dataset, data_root, table)
    scores, counts = score_sortings(recording, truth, sortings, settings, filter_hz, name=dataset)
    if not table[dataset].truth_complete or table[dataset].scored_units is not None:
        counts["false_positive"] = np.nan
    write_csv(scores_csv, scores, schema="scores", provenance=provenance)
    write_csv(counts_csv, counts, schema="unit-counts", provenance=provenance)
