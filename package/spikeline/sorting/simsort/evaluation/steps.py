"""What a workflow's rules call: from a recording with known spikes and trained networks to the tables of figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from spikeline.artifacts import Provenance, read_csv, scratch_beside, write_csv
from spikeline.config.sorting import ScoringSettings, SorterSettings
from spikeline.errors import DataError
from spikeline.sorting.simsort.weight_files import with_trained_weights

if TYPE_CHECKING:
    import pandas as pd
    import spikeinterface as si

    from spikeline.sorting.simsort.networks import Networks

__all__ = [
    "DatasetPlace",
    "detection_tables_to_files",
    "identification_tables_to_files",
    "join_tables",
    "snippet_tables_to_files",
]


@dataclass(frozen=True)
class DatasetPlace:
    """An entry of the data-set table, in place of a recording's folder.

    Parameters
    ----------
    dataset
        Its name.
    data_root
        The user's folder of data sets.
    table_path
        The table.
    """

    dataset: str
    data_root: str | Path
    table_path: str | Path


def detection_tables_to_files(
    recording: str | Path | DatasetPlace,
    outputs: Mapping[str, str | Path],
    sorter: SorterSettings,
    scoring: ScoringSettings,
    filter_hz: tuple[float, float],
    *,
    trained_weights: str | Path | None = None,
    threads: int = 1,
    provenance: Provenance | None = None,
) -> None:
    """Write the tables of `detection_tables.detection_tables`.

    Parameters
    ----------
    recording
        Folder written by `spikeline.simulation.recordings.write_recording`, or a data set with true spikes.
    outputs
        Table's name -> where it goes.
    sorter
        SimSort as the run has it: its weights and its detection probability.
    scoring, filter_hz
        As sortings are scored.
    trained_weights
        Folder of the weights that ``parameters: {weights: trained}`` stands for.
    threads
        Of torch and of the whitening. The number is part of what makes the same tables to the byte.
    provenance
        For the manifests.

    Raises
    ------
    DataError
        If the recording cannot be evaluated, or the data set has no true spikes.
    """
    from spikeline.sorting.scoring.matching import tolerance_in_samples
    from spikeline.sorting.simsort.evaluation.detection_tables import detection_tables
    from spikeline.sorting.simsort.evaluation.truth import true_spikes
    from spikeline.sorting.simsort.sorter_parameters import settings_of
    from spikeline.training.reproducible import reproducible

    name, data, traces, truth = _read(recording)
    with reproducible(threads, on_cpu=True), scratch_beside(next(iter(outputs.values()))) as scratch:
        tables = detection_tables(
            traces,
            true_spikes(traces, truth, filter_hz, scoring.true_time),
            _networks(sorter, trained_weights),
            name=name,
            data=data,
            tolerance=tolerance_in_samples(scoring.spikeinterface_tolerance_ms, traces.get_sampling_frequency()),
            probability=settings_of(sorter.parameters).detection_probability,
            band_hz=filter_hz,
            threads=threads,
            folder=scratch,
        )
    _write(tables, outputs, "detection", provenance)


def identification_tables_to_files(
    recording: str | Path | DatasetPlace,
    outputs: Mapping[str, str | Path],
    sorter: SorterSettings,
    scoring: ScoringSettings,
    filter_hz: tuple[float, float],
    *,
    seed: int,
    trained_weights: str | Path | None = None,
    threads: int = 1,
    provenance: Provenance | None = None,
) -> None:
    """Write the tables of `identification_tables.identification_tables`; ``seed`` is the run's, otherwise as above."""
    from spikeline.sorting.simsort.evaluation.identification_tables import identification_tables
    from spikeline.sorting.simsort.evaluation.truth import true_spikes
    from spikeline.training.reproducible import reproducible

    name, data, traces, truth = _read(recording)
    with reproducible(threads, on_cpu=True), scratch_beside(next(iter(outputs.values()))) as scratch:
        tables = identification_tables(
            traces,
            true_spikes(traces, truth, filter_hz, scoring.true_time),
            _networks(sorter, trained_weights),
            name=name,
            data=data,
            seed=seed,
            band_hz=filter_hz,
            threads=threads,
            folder=scratch,
        )
    _write(tables, outputs, "identification", provenance)


def snippet_tables_to_files(
    place: DatasetPlace,
    outputs: Mapping[str, str | Path],
    sorter: SorterSettings,
    *,
    seed: int,
    trained_weights: str | Path | None = None,
    threads: int = 1,
    provenance: Provenance | None = None,
) -> None:
    """Write the tables of `identification_tables.snippet_identification_tables`."""
    from spikeline.data.dataset_table import read_dataset_table
    from spikeline.data.readers import read_dataset_snippets
    from spikeline.sorting.simsort.evaluation.identification_tables import snippet_identification_tables
    from spikeline.training.reproducible import reproducible

    snippets = read_dataset_snippets(place.dataset, place.data_root, read_dataset_table(place.table_path))
    with reproducible(threads, on_cpu=True):
        tables = snippet_identification_tables(
            snippets, _networks(sorter, trained_weights), name=place.dataset, seed=seed
        )
    _write(tables, outputs, "identification", provenance)


def join_tables(parts: Iterable[str | Path], output: str | Path, *, provenance: Provenance | None = None) -> None:
    """Write tables of the same columns one below the other."""
    import pandas as pd

    write_csv(output, pd.concat([read_csv(part) for part in parts], ignore_index=True), provenance=provenance)


def _read(recording: str | Path | DatasetPlace) -> tuple[str, str, si.BaseRecording, si.BaseSorting]:
    """Name, kind, traces and true units."""
    if not isinstance(recording, DatasetPlace):
        from spikeline.simulation.recordings.recording import read_recording

        made = read_recording(recording)
        return Path(recording).name, "simulated", made.recording, made.sorting
    from spikeline.data.dataset_table import read_dataset_table
    from spikeline.data.readers import read_dataset_recording, read_ground_truth

    where = recording.dataset, recording.data_root, read_dataset_table(recording.table_path)
    truth = read_ground_truth(*where)
    if truth is None:
        raise DataError(
            f"data set {recording.dataset!r} has no ground truth to compare with",
            "a layout with true spikes, with their file in place",
            "evaluate another data set; docs/datasets.md says which layouts have true spikes",
        )
    return recording.dataset, "real", read_dataset_recording(*where), truth


def _networks(sorter: SorterSettings, trained_weights: str | Path | None) -> Networks:
    """On the CPU: the same tables whatever the machine has."""
    from spikeline.sorting.simsort.networks import load_networks

    return load_networks(with_trained_weights(sorter, trained_weights).parameters.get("weights"), "cpu")


def _write(
    tables: Mapping[str, pd.DataFrame],
    outputs: Mapping[str, str | Path],
    stage: str,
    provenance: Provenance | None,
) -> None:
    for name, path in outputs.items():
        write_csv(path, tables[name], schema=f"{stage}-{name}", provenance=provenance)
