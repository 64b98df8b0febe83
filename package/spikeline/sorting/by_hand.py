"""Sort one recording of any format into a folder: what ``spikeline sort`` does."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from spikeline.artifacts import manifest_path, seed_integer
from spikeline.artifacts.atomic import remove_leftovers
from spikeline.config.sorting import SorterSettings
from spikeline.errors import ConfigError, DataError, FormatError

if TYPE_CHECKING:
    import spikeinterface as si

__all__ = ["SORTING_FILE", "open_any_recording", "sort_to_folder"]

SORTING_FILE = "sorting.h5"


def open_any_recording(
    path: str | Path, reader: str | None = None, stream: str | None = None, probe: str | Path | None = None
) -> si.BaseRecording:
    """A recording made by spikeline, saved by SpikeInterface, or in a format that SpikeInterface reads.

    Parameters
    ----------
    path
        File or folder.
    reader, stream
        As for `spikeline.data.recording_files.open_recording`.
    probe
        Probeinterface's JSON file of the probe, with its wiring, for a recording whose file does not hold it.

    Raises
    ------
    ConfigError, FormatError
        As `spikeline.data.recording_files.open_recording`; ConfigError too if a stream or a probe is named for a
        recording made by spikeline, which has its own, FormatError if the probe cannot be read.
    DataError
        If the probe does not fit the recording.
    """
    from spikeline.data.recording_files import open_recording
    from spikeline.simulation.recordings.recording import read_recording

    path = Path(path)
    # one of ours without its manifest is unfinished, and its reader says so
    if reader is None and (manifest_path(path).is_file() or (path / "units.csv").is_file()):
        _refuse_options(path, {"stream": stream, "probe": probe})
        return read_recording(path).recording
    recording = open_recording(path, reader, stream)
    return recording if probe is None else _with_probe(recording, Path(probe))


def _refuse_options(path: Path, options: Mapping[str, str | Path | None]) -> None:
    for option, value in options.items():
        if value is not None:
            raise ConfigError(
                f"--{option} {value} for {path}, a recording made by spikeline",
                f"no {option}: such a recording has one {option}, which it brings along",
                f"leave --{option} out",
            )


def _with_probe(recording: si.BaseRecording, path: Path) -> si.BaseRecording:
    import probeinterface

    try:
        group = probeinterface.read_probeinterface(path)
    except Exception as error:  # whatever is wrong with it
        raise FormatError(
            f"{path} cannot be read ({type(error).__name__}: {error})",
            "a probe or probe group that probeinterface wrote (JSON)",
            "write it with probeinterface.write_probeinterface",
        ) from error
    try:
        recording.set_probegroup(group)
    except Exception as error:  # no wiring, channels that are not there, ...
        raise DataError(
            f"the probe of {path} does not fit the recording ({error})",
            f"one contact wired to each of the recording's {recording.get_num_channels()} channels",
            "set its device_channel_indices, or give the probe that was recorded with",
        ) from error
    return recording


def sort_to_folder(
    recording: si.BaseRecording,
    name: str,
    folder: str | Path,
    settings: SorterSettings,
    *,
    seed: int,
    threads: int = 1,
    exports: Sequence[str] = (),
    session_start: datetime | None = None,
) -> si.NumpySorting:
    """Sort a recording; write ``sorting.h5`` and the exports.

    Parameters
    ----------
    recording
        From `open_any_recording`, with a probe.
    name
        What the recording is called; as in a workflow's run, the sorter's seed depends on it.
    folder
        Where everything goes; what an earlier call wrote there is replaced, and exports of the sorting that is replaced
        are removed if they are not asked for again. While the sorter runs its files lie there too.
    settings
        Sorter and parameters.
    seed
        Root seed.
    threads
        Worker threads.
    exports
        Keys of `spikeline.sorting.export.EXPORTS`. None is written if there are no units.
    session_start
        For NWB.

    Returns
    -------
    NumpySorting
        As `spikeline.sorting.run.sort_recording`.

    Raises
    ------
    ConfigError
        If the folder is a file, an export or a sorter is not available, or a parameter is refused.
    DataError
        If the recording cannot be sorted.
    """
    from spikeline.sorting.export import EXPORTS, analyse, check_export, export_nwb, export_phy
    from spikeline.sorting.run import sort_recording
    from spikeline.sorting.sorting_file import write_sorting

    folder = Path(folder)
    if folder.is_file() or folder.suffix == ".h5":
        raise ConfigError(
            f"{folder} is to be a folder", f"a folder, in which {SORTING_FILE} is written", "name a folder"
        )
    for export in exports:
        check_export(export)
    own_seed = seed_integer(seed, "sorting", f"{name}/{settings.sorter}")
    sorting = sort_recording(recording, settings, threads, own_seed, output=folder / SORTING_FILE)
    # before the sorting that they are of is replaced: a process killed in between leaves none that belong to another
    for export in EXPORTS.values():
        _remove(folder / export)
    write_sorting(folder / SORTING_FILE, sorting)
    if exports and len(sorting.unit_ids):
        analyzer = analyse(recording, sorting, threads=threads)
        if "phy" in exports:
            export_phy(folder / EXPORTS["phy"], analyzer, threads=threads)
        if "nwb" in exports:
            export_nwb(folder / EXPORTS["nwb"], analyzer, session_start=session_start)
    return sorting


def _remove(path: Path) -> None:
    """Remove a file or folder; a folder is never seen half deleted."""
    remove_leftovers(path)
    if os.path.lexists(path):
        path.rename(path.with_name(f".{path.name}.tmp-old-{os.getpid()}"))
        remove_leftovers(path)
