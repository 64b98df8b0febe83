"""``area2_bump_nwb``: DANDI 000127, somatosensory area 2 during reaches and bumps (Chowdhury, Glaser and Miller 2020).

The edition of the Neural Latents Benchmark: units with spike times in ``units``, trials in ``intervals/trials``, and
hand position, velocity, force and more as series of ``processing/behavior``. Read with h5py after the NWB schema:
ragged columns have an index of ends beside them, a series has time stamps, or a starting time with a rate.

Names of columns and series are those that public loaders of the data set use; ``fields`` of the entry corrects them.
Movement onset (``go``) is not given for every trial.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

from spikeline.artifacts.hdf5 import check_links
from spikeline.data.behaviour import BehaviourSeries
from spikeline.data.dataset_table import DatasetEntry
from spikeline.data.intervals import Intervals
from spikeline.data.readers.named_fields import field_names, missing_field
from spikeline.data.session import Session
from spikeline.errors import DataError, FormatError

__all__ = ["read_area2_bump"]

_COLUMNS = {"direction": "cond_dir", "passive": "ctr_hold_bump", "go": "move_onset_time", "split": "split"}
_SERIES = {"hand_velocity": "hand_vel", "hand_position": "hand_pos", "force": "force"}
_OWN_NAME = {"direction": "direction_deg", "passive": "passive", "go": "go", "split": "split"}
_PLACES = {"units": "units", "trials": "intervals/trials", "behaviour": "processing/behavior"}


def read_area2_bump(path: Path, entry: DatasetEntry) -> Session:
    """Spikes, behaviour and trials; directions in degrees, ``passive`` where the hand was bumped.

    Raises
    ------
    ConfigError
        If ``fields`` names what the reader does not look for.
    FormatError
        If the file is no NWB file of this layout; the message lists what it has where something is missing.
    """
    names = field_names(entry, _COLUMNS | _SERIES)
    check_links(path)
    with h5py.File(path, "r") as file:
        for what, place in _PLACES.items():
            if place not in file:
                raise FormatError(
                    f"{path} has no {place} ({what}); there are: {', '.join(sorted(file))}",
                    "an NWB file with units, trials and behaviour",
                    "the held-out test file of the data set has no behaviour: use the one for training",
                )
        try:
            times, units = _spikes(file["units"])
            session = Session(
                spike_times=times,
                spike_units=units,
                units=_table(file["units"]),
                behaviour=_behaviour(path, file[_PLACES["behaviour"]], names),
                trials=_trials(path, file[_PLACES["trials"]], names),
            )
        except DataError as error:
            raise FormatError(f"{path}: {error.seen}", error.expected, "check the file, or fetch it again") from error
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise FormatError(
                f"{path} is not laid out as NWB has it ({type(error).__name__}: {error})",
                "units, intervals/trials and processing/behavior of the NWB schema",
                "check the file, or fetch it again",
            ) from error
    return session


def _spikes(units: h5py.Group) -> tuple[np.ndarray, np.ndarray]:
    """Spike times of all units in order, and whose they are: the index says where each unit's times end."""
    ends = units["spike_times_index"][:].astype(np.int64)
    times = units["spike_times"][:].astype(np.float64)
    owner = np.repeat(np.arange(len(ends)), np.diff(ends, prepend=0))
    order = np.argsort(times, kind="stable")
    return times[order], owner[order]


def _table(group: h5py.Group) -> dict[str, np.ndarray]:
    """The columns of an NWB table that have one plain value per row; ``id`` becomes ``unit_id`` or ``trial_id``."""
    rows = len(group["id"])
    kind = "unit_id" if group.name == "/units" else "trial_id"
    table = {kind: group["id"][:].astype(np.int64)}
    for name, data in group.items():
        plain = isinstance(data, h5py.Dataset) and data.shape == (rows,) and f"{name}_index" not in group
        if plain and name != "id" and not name.endswith("_index"):
            if h5py.check_string_dtype(data.dtype):
                table[name] = data.asstr()[:].astype(np.str_)
            elif data.dtype.kind in "biuf":
                table[name] = data[:]
    return table


def _trials(path: Path, group: h5py.Group, names: dict[str, str]) -> Intervals:
    table = _table(group)
    for what in ("direction", "go"):
        if names[what] not in table:
            raise missing_field(path, what, names[what], _PLACES["trials"], table)
    start, stop = (table.pop(name).astype(np.float64) for name in ("start_time", "stop_time"))
    for what, own in _OWN_NAME.items():
        if names[what] in table:
            table[own] = table.pop(names[what])
    table["direction_deg"] = table["direction_deg"].astype(np.float64) % 360.0
    return Intervals(start, stop, table)


def _behaviour(path: Path, group: h5py.Group, names: dict[str, str]) -> dict[str, BehaviourSeries]:
    series = dict(_series_in(group))
    if names["hand_velocity"] not in series:
        raise missing_field(path, "hand_velocity", names["hand_velocity"], _PLACES["behaviour"], series)
    for own in _SERIES:
        if names[own] in series:
            series[own] = series.pop(names[own])
    return series


def _series_in(group: h5py.Group) -> Iterator[tuple[str, BehaviourSeries]]:
    """All series of numbers at any depth, by their own name."""
    for name, item in group.items():
        if isinstance(item, h5py.Group) and isinstance(item.get("data"), h5py.Dataset):
            yield name, _series(item)
        elif isinstance(item, h5py.Group):
            yield from _series_in(item)


def _series(group: h5py.Group) -> BehaviourSeries:
    data = group["data"]
    values = data[:].astype(np.float64) * float(data.attrs.get("conversion", 1.0)) + float(
        data.attrs.get("offset", 0.0)
    )
    if "timestamps" in group:
        times = group["timestamps"][:].astype(np.float64)
    else:
        beginning = group["starting_time"]
        times = float(beginning[()]) + np.arange(len(values)) / float(beginning.attrs["rate"])
    return BehaviourSeries(times, values.reshape(len(values), -1), str(data.attrs.get("unit", "")))
