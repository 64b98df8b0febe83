"""Recordings, true spikes, snippets and sessions from the data sets of the table: a module per layout, and their table.

What each layout holds, and what its entries must say, stands in `spikeline.data.layouts`; for users in
``docs/datasets.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from spikeline.data.binned_session import BinnedSession
from spikeline.data.dataset_table import DatasetEntry
from spikeline.data.datasets import refuse_other_layout, resolve_dataset
from spikeline.data.layouts import LAYOUTS, SESSION_READERS, SNIPPET_READERS
from spikeline.data.readers.area2_bump import read_area2_bump
from spikeline.data.readers.binned_npz import read_binned_npz
from spikeline.data.readers.hc1 import read_hc1_recording, read_hc1_truth
from spikeline.data.readers.ibl import read_ibl_comparison, read_ibl_recording
from spikeline.data.readers.plain_arrays import read_plain_npz
from spikeline.data.readers.pmd1 import read_pmd1
from spikeline.data.readers.quiroga import read_quiroga_recording, read_quiroga_truth
from spikeline.data.readers.quiroga_snippets import Snippets, read_snippets
from spikeline.data.readers.spikeforest import read_spikeforest_recording, read_spikeforest_truth
from spikeline.data.readers.tetrode import read_tetrode, tetrode_recording
from spikeline.data.readers.true_spikes import LabelledSpikes
from spikeline.data.session import Session
from spikeline.data.spikeinterface_folder import read_spikeinterface_folder
from spikeline.errors import DataError, FormatError

if TYPE_CHECKING:
    import spikeinterface as si

__all__ = [
    "Snippets",
    "read_comparison_sorting",
    "read_dataset_recording",
    "read_dataset_session",
    "read_dataset_snippets",
    "read_ground_truth",
    "read_plain_npz",
    "tetrode_recording",
]

RECORDINGS: dict[str, Callable[[Path, DatasetEntry], si.BaseRecording]] = {
    "spikeinterface": lambda path, entry: read_spikeinterface_folder(path),
    "tetrode_npz": read_tetrode,
    "quiroga_mat": read_quiroga_recording,
    "quiroga_npz": read_quiroga_recording,
    "spikeforest_mda": read_spikeforest_recording,
    "ibl": read_ibl_recording,
    "hc1": read_hc1_recording,
}
TRUTHS: dict[str, Callable[[Path, DatasetEntry], LabelledSpikes | None]] = {
    "quiroga_mat": read_quiroga_truth,
    "quiroga_npz": read_quiroga_truth,
    "spikeforest_mda": read_spikeforest_truth,
    "hc1": read_hc1_truth,
}
SESSIONS: dict[str, Callable[[Path, DatasetEntry], Session | BinnedSession]] = {
    "binned_session_npz": read_binned_npz,
    "area2_bump_nwb": read_area2_bump,
    "pmd1_mat": read_pmd1,
}
COMPARISONS: dict[str, Callable[[Path, DatasetEntry], LabelledSpikes | None]] = {"ibl": read_ibl_comparison}


def read_dataset_recording(name: str, data_root: str | Path, table: Mapping[str, DatasetEntry]) -> si.BaseRecording:
    """A recording of the data-set table, in the unit the file has, upside down if its entry says ``invert``.

    One that knows its gains gives microvolts on request (``return_in_uV``); where none is known, the annotation
    ``unit`` says what the samples are.

    Raises
    ------
    ConfigError
        If its layout needs a package that is not installed.
    DataError
        If the data set cannot be resolved (`resolve_dataset`), is not a recording that sorters can use, or its entry
        lacks a key that its layout needs.
    FormatError
        If the file is not what the table says.
    """
    path, entry = _resolved(name, data_root, table)
    recording = RECORDINGS[entry.reader](path, entry)
    if entry.invert:
        from spikeinterface.preprocessing import scale

        recording = scale(recording, gain=-1.0, dtype="float32")
    found = {"sampling_rate_hz": float(recording.sampling_frequency), "channels": recording.get_num_channels()}
    for key, value in found.items():
        stated = getattr(entry, key)
        if stated is not None and stated != value:
            raise FormatError(
                f"{path} has {key} {value:g}", f"{stated:g}, as config/datasets.yaml says", "correct the table"
            )
    return recording


def read_ground_truth(name: str, data_root: str | Path, table: Mapping[str, DatasetEntry]) -> si.NumpySorting | None:
    """The true spikes of a recording of the table: None where nobody knows them.

    Every spike is moved by ``peak_offset_samples`` of the entry, to the extremum of its waveform; those whose extremum
    lies outside the recording are left out. Units that ``scored_units`` does not name are left out, though their spikes
    are in the traces.

    Raises
    ------
    ConfigError, DataError, FormatError
        As `read_dataset_recording`; or if ``scored_units`` names a unit that is not there.
    """
    path, entry = _resolved(name, data_root, table)
    spikes = TRUTHS[entry.reader](path, entry) if entry.reader in TRUTHS else None
    return None if spikes is None else spikes.sorting(entry.peak_offset_samples, entry.scored_units)


def read_comparison_sorting(
    name: str, data_root: str | Path, table: Mapping[str, DatasetEntry]
) -> si.NumpySorting | None:
    """What another sorter found, where a data set brings it (``ibl``): something to compare with, never truth.

    Raises
    ------
    ConfigError, DataError, FormatError
        As `read_dataset_recording`.
    """
    path, entry = _resolved(name, data_root, table)
    spikes = COMPARISONS[entry.reader](path, entry) if entry.reader in COMPARISONS else None
    return None if spikes is None else spikes.sorting()


def read_dataset_snippets(name: str, data_root: str | Path, table: Mapping[str, DatasetEntry]) -> Snippets:
    """Aligned waveforms with their units, overlapping ones left out.

    Raises
    ------
    DataError
        If the data set cannot be resolved, or holds no snippets.
    FormatError
        If the file is not what the table says.
    """
    path, entry = _resolved(name, data_root, table, SNIPPET_READERS)
    snippets = read_snippets(path, entry)
    if entry.sampling_rate_hz not in (None, snippets.sampling_rate_hz):
        raise FormatError(
            f"{path} has sampling_rate_hz {snippets.sampling_rate_hz:g}",
            f"{entry.sampling_rate_hz:g}, as config/datasets.yaml says",
            "correct the table",
        )
    return snippets


def read_dataset_session(
    name: str, data_root: str | Path, table: Mapping[str, DatasetEntry]
) -> Session | BinnedSession:
    """A recording day of the data-set table: spikes of units, or their counts where the data set has no more.

    Trials have the columns ``direction_deg`` (of the reach or target, counter-clockwise from the right) and, where the
    data set has them, ``go`` (seconds), ``passive`` and ``split``; behaviour is called ``hand_velocity``,
    ``hand_position`` and ``force``; whatever else the data set has keeps its own name.

    Raises
    ------
    DataError
        If the data set cannot be resolved, or is no session.
    FormatError
        If the file is not what the table says.
    """
    path, entry = _resolved(name, data_root, table, SESSION_READERS)
    return replace(SESSIONS[entry.reader](path, entry), name=name)


def _resolved(
    name: str, data_root: str | Path, table: Mapping[str, DatasetEntry], readers: tuple[str, ...] = tuple(RECORDINGS)
) -> tuple[Path, DatasetEntry]:
    """Path and entry of a data set with one of these layouts, which says all its layout needs."""
    path = resolve_dataset(name, data_root, table)
    refuse_other_layout(name, table, readers)
    entry = table[name]
    missing = [key for key in LAYOUTS[entry.reader].needs if getattr(entry, key) is None]
    if missing:
        raise DataError(
            f"data set {name!r} lacks {', '.join(missing)}",
            f"{', '.join(LAYOUTS[entry.reader].needs)} with reader {entry.reader}",
            "add them to config/datasets.yaml",
        )
    return path, entry
