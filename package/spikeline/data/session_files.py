"""Sessions in HDF5 artefacts: one file per recording day."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import h5py
import numpy as np

from spikeline.artifacts import Provenance, open_hdf5, write_hdf5
from spikeline.data.behaviour import BehaviourSeries
from spikeline.data.binned_session import BinnedSession
from spikeline.data.intervals import Intervals
from spikeline.data.session import Session

__all__ = ["read_binned_session", "read_session", "write_binned_session", "write_session"]

_SESSION, _BINNED = "session", "binned-session"


def write_session(path: str | Path, session: Session, *, provenance: Provenance | None = None) -> None:
    """Write a session with its manifest."""
    arrays = {"spikes/times": session.spike_times, "spikes/units": session.spike_units}
    units = {"spikes/times": "s"}
    arrays |= {f"units/{name}": column for name, column in session.units.items()}
    for name, series in session.behaviour.items():
        arrays |= {f"behaviour/{name}/times": series.times, f"behaviour/{name}/values": series.values}
        units |= {f"behaviour/{name}/times": "s", f"behaviour/{name}/values": series.unit}
    places = {"trials": session.trials} | {f"splits/{name}": split for name, split in session.splits.items()}
    for place, intervals in places.items():
        arrays |= {f"{place}/start": intervals.start, f"{place}/stop": intervals.stop}
        units |= {f"{place}/start": "s", f"{place}/stop": "s"}
        arrays |= {f"{place}/columns/{name}": column for name, column in intervals.columns.items()}
    write_hdf5(path, _SESSION, arrays, units=units, attributes={"name": session.name}, provenance=provenance)


def read_session(path: str | Path) -> Session:
    """Read what `write_session` wrote.

    Raises
    ------
    FormatError
        If the file is not whole, or of another kind.
    """
    with open_hdf5(path, _SESSION) as file:
        behaviour = {
            name: BehaviourSeries(group["times"][:], group["values"][:], str(group["values"].attrs["unit"]))
            for name, group in file.get("behaviour", {}).items()
        }
        return Session(
            spike_times=file["spikes/times"][:],
            spike_units=file["spikes/units"][:],
            units=_columns(file["units"]),
            behaviour=behaviour,
            trials=_intervals(file["trials"]),
            splits={name: _intervals(group) for name, group in file.get("splits", {}).items()},
            name=str(file.attrs["name"]),
        )


def write_binned_session(path: str | Path, session: BinnedSession, *, provenance: Provenance | None = None) -> None:
    """Write a session of counts with its manifest."""
    arrays = {"counts": session.counts, "trial_pointers": session.trial_pointers, "steps": session.steps}
    arrays |= {f"behaviour/{name}": values for name, values in session.behaviour.items()}
    arrays |= {f"trials/{name}": column for name, column in session.trials.items()}
    arrays |= {f"units/{name}": column for name, column in session.units.items()}
    units = {f"behaviour/{name}": unit for name, unit in session.behaviour_units.items()}
    attributes = {"bin_s": session.bin_s, "name": session.name}
    write_hdf5(path, _BINNED, arrays, units=units, attributes=attributes, provenance=provenance)


def read_binned_session(path: str | Path) -> BinnedSession:
    """Read what `write_binned_session` wrote.

    Raises
    ------
    FormatError
        If the file is not whole, or of another kind.
    """
    with open_hdf5(path, _BINNED) as file:
        behaviour = file.get("behaviour", {})
        return BinnedSession(
            counts=file["counts"][:],
            bin_s=float(file.attrs["bin_s"]),
            trial_pointers=file["trial_pointers"][:],
            steps=file["steps"][:],
            behaviour={name: data[:] for name, data in behaviour.items()},
            behaviour_units={name: str(data.attrs["unit"]) for name, data in behaviour.items()},
            trials=_columns(file.get("trials", {})),
            units=_columns(file.get("units", {})),
            name=str(file.attrs["name"]),
        )


def _columns(group: h5py.Group | Mapping[str, h5py.Dataset]) -> dict[str, np.ndarray]:
    return {name: _plain(data) for name, data in group.items()}


def _plain(data: h5py.Dataset) -> np.ndarray:
    """The array; text as NumPy's own strings."""
    return data.asstr()[:].astype(np.str_) if h5py.check_string_dtype(data.dtype) else data[:]


def _intervals(group: h5py.Group) -> Intervals:
    return Intervals(group["start"][:], group["stop"][:], _columns(group.get("columns", {})))
