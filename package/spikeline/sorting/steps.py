"""What a workflow's rules call: from a recording's folder to a sorting's file, from sortings to score tables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from spikeline.artifacts import Provenance, manifest_path, seed_integer, write_csv
from spikeline.config.sorting import ScoringSettings, SorterSettings
from spikeline.sorting.score_sortings import score_sortings
from spikeline.sorting.simsort.weight_files import with_trained_weights
from spikeline.sorting.sorting_file import read_sorting, write_sorting

if TYPE_CHECKING:
    import spikeinterface as si

    from spikeline.sorting.run_elsewhere import PeersEnvironment

__all__ = ["real_tables_to_files", "score_to_files", "sort_dataset_to_file", "sort_to_file"]


def sort_to_file(
    recording_folder: str | Path,
    sorting_path: str | Path,
    settings: SorterSettings,
    *,
    seed: int,
    threads: int = 1,
    trained_weights: str | Path | None = None,
    peers: PeersEnvironment | None = None,
    provenance: Provenance | None = None,
) -> str:
    """Sort a recording in a folder.

    Parameters
    ----------
    recording_folder
        Written by `spikeline.simulation.recordings.write_recording`, which puts a manifest beside it; one without is
        taken for a folder that SpikeInterface saved.
    sorting_path
        Where the sorting goes (HDF5).
    settings
        Sorter and parameters.
    seed
        The run's root seed; the sorter's own is drawn from it for this recording and sorter.
    threads
        Worker threads.
    trained_weights
        Folder of the weights this run has trained, which ``parameters: {weights: trained}`` of SimSort stands for.
    peers
        Where sorters with ``environment: peers`` are installed.
    provenance
        For the manifest.

    Returns
    -------
    str
        Why no unit was found; empty if there are units.

    Raises
    ------
    ConfigError
        If the settings want the peers' environment and there is none, and as the sorting does.
    """
    from spikeline.data.spikeinterface_folder import read_spikeinterface_folder
    from spikeline.simulation.recordings.recording import read_recording

    folder = Path(recording_folder)
    # one of ours without its manifest is unfinished, and its reader says so
    ours = manifest_path(folder).is_file() or (folder / "units.csv").is_file()
    recording = read_recording(folder).recording if ours else read_spikeinterface_folder(folder)
    settings = with_trained_weights(settings, trained_weights)
    return _sort(recording, folder.name, sorting_path, settings, seed, threads, peers, provenance)


def _sort(
    recording: si.BaseRecording,
    name: str,
    sorting_path: str | Path,
    settings: SorterSettings,
    seed: int,
    threads: int,
    peers: PeersEnvironment | None,
    provenance: Provenance | None,
) -> str:
    sorter_seed = seed_integer(seed, "sorting", f"{name}/{settings.sorter}")
    if settings.environment == "peers":
        from spikeline.sorting.run_elsewhere import sort_elsewhere

        sorting = sort_elsewhere(recording, settings, peers, threads, sorter_seed, output=sorting_path)
    else:
        from spikeline.sorting.run import sort_recording

        sorting = sort_recording(recording, settings, threads, sorter_seed, output=sorting_path)
    write_sorting(sorting_path, sorting, provenance)
    return str(sorting.get_annotation("note"))


def score_to_files(
    recording_folder: str | Path,
    sortings: Mapping[str, str | Path],
    scores_csv: str | Path,
    counts_csv: str | Path,
    settings: ScoringSettings,
    filter_hz: tuple[float, float],
    *,
    provenance: Provenance | None = None,
) -> None:
    """Score all sortings of one simulated recording against its truth.

    Parameters
    ----------
    recording_folder
        Written by `spikeline.simulation.recordings.write_recording`; its name is the recording's name in the tables.
    sortings
        Sorter's name in the tables -> file written by `sort_to_file`.
    scores_csv, counts_csv
        Where the tables go; see `spikeline.sorting.scoring.score_sorting`.
    settings, filter_hz
        The scorer's numbers, and the band in which the SNR is measured.
    provenance
        For the manifests.

    Raises
    ------
    DataError
        If no sorting is given.
    """
    from spikeline.simulation.recordings.recording import read_recording

    folder = Path(recording_folder)
    made = read_recording(folder)
    cells = dict(zip(made.units["unit_id"].astype(str), made.units["cell"].astype(str), strict=True))
    scores, counts = score_sortings(
        made.recording, made.sorting, sortings, settings, filter_hz, name=folder.name, cells=cells
    )
    write_csv(scores_csv, scores, schema="scores", provenance=provenance)
    write_csv(counts_csv, counts, schema="unit-counts", provenance=provenance)


def sort_dataset_to_file(
    dataset: str,
    data_root: str | Path,
    table_path: str | Path,
    sorting_path: str | Path,
    settings: SorterSettings,
    *,
    seed: int,
    threads: int = 1,
    trained_weights: str | Path | None = None,
    peers: PeersEnvironment | None = None,
    provenance: Provenance | None = None,
) -> str:
    """Sort a real recording of the data-set table; otherwise as `sort_to_file`."""
    from spikeline.data.dataset_table import read_dataset_table
    from spikeline.data.readers import read_dataset_recording

    recording = read_dataset_recording(dataset, data_root, read_dataset_table(table_path))
    settings = with_trained_weights(settings, trained_weights)
    return _sort(recording, dataset, sorting_path, settings, seed, threads, peers, provenance)


def real_tables_to_files(
    dataset: str,
    data_root: str | Path,
    table_path: str | Path,
    sortings: Mapping[str, str | Path],
    waveforms_csv: str | Path,
    excerpt_csv: str | Path,
    spikes_csv: str | Path,
    filter_hz: tuple[float, float],
    *,
    provenance: Provenance | None = None,
) -> None:
    """Write the tables of the figure ``real_recording``; see `spikeline.sorting.illustration.real_recording_tables`."""
    from spikeline.data.dataset_table import read_dataset_table
    from spikeline.data.readers import read_dataset_recording
    from spikeline.sorting.illustration import real_recording_tables

    recording = read_dataset_recording(dataset, data_root, read_dataset_table(table_path))
    tables = real_recording_tables(
        recording, {name: read_sorting(path) for name, path in sortings.items()}, band_hz=filter_hz
    )
    for name, path in (("waveforms", waveforms_csv), ("excerpt", excerpt_csv), ("spikes", spikes_csv)):
        write_csv(path, tables[name], schema=f"real-{name}", provenance=provenance)
