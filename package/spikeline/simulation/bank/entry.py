"""One entry of the bank of membrane currents: low-rank currents, geometry, spikes and the measured error.

I_mem (n_segments, n_samples), in nA, is stored as ``basis @ (scale * coefficients)`` with int16 coefficients, float32
ones where 16 bits would not do. The extracellular potential of the cell at any contacts is
``line_source_matrix(geometry, contacts) @ I_mem``, so a placement costs (n_contacts x rank) x (rank x n_samples) once
``line_source_matrix @ basis`` is known.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import h5py
import numpy as np
from jaxtyping import Float16, Float32, Float64, Int16, Int64

from spikeline.artifacts import Provenance, create_hdf5, open_hdf5
from spikeline.errors import DataError
from spikeline.simulation.bank.windows import take_windows
from spikeline.simulation.field.geometry import SegmentGeometry

__all__ = ["BANK_SCHEMA", "BankEntry", "read_bank_entry", "write_bank_entry"]

_Made = TypeVar("_Made")

BANK_SCHEMA = "current-bank"
_GEOMETRY = {"start_um": "um", "end_um": "um", "diameter_um": "um", "is_soma": ""}
_LOOSE = {"basis": "nA per unit coefficient", "scale": "1", "spike_samples": "samples", "soma_voltage_mv": "mV"}


@dataclass(frozen=True)
class BankEntry:
    """Membrane currents of one cell variant under one stimulus seed.

    Parameters
    ----------
    cell, variant, seed
        Which entry it is; ``cell`` is the unit of the train/test split.
    geometry
        Segments, soma at the origin, axes as in the morphology file (y towards the pia for the Blue Brain models).
    basis
        Spatial pattern of each component, nA per unit of a scaled component.
    scale
        Component k of the current is ``basis[:, k] * scale[k] * coefficients[k]``.
    coefficients
        An array, or what is read like one piece by piece: an open HDF5 data set, the slices of an unfinished entry.
    spike_samples
        Sample of each soma-voltage peak.
    soma_voltage_mv
        Soma voltage in mV, an array or an open HDF5 data set.
    sampling_rate_hz
        Samples per second.
    error
        Measured errors of the low-rank form: ``max_error_uv``, ``rms_error_percent`` (the worst reference tetrode's),
        ``bound_uv_at_20um`` (holds for any contact at least 20 um from every segment), ``rank``.
    facts
        Everything else worth keeping: rheobase, stimulus, integration, firing rate.
    """

    cell: str
    variant: str
    seed: int
    geometry: SegmentGeometry
    basis: Float32[np.ndarray, "segments rank"]
    scale: Float32[np.ndarray, " rank"]
    coefficients: Int16[Any, "rank samples"] | Float32[Any, "rank samples"]
    spike_samples: Int64[np.ndarray, " spikes"]
    soma_voltage_mv: Float16[np.ndarray | h5py.Dataset, " samples"]
    sampling_rate_hz: float
    error: dict[str, float] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def rank(self) -> int:
        """Number of components."""
        return self.basis.shape[1]

    @property
    def n_samples(self) -> int:
        """Length in samples."""
        return self.coefficients.shape[1]

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.n_samples / self.sampling_rate_hz

    @property
    def name(self) -> str:
        """``cell/variant-seed``."""
        return f"{self.cell}/{self.variant}-{self.seed}"

    @functools.cached_property
    def moments(self) -> tuple[Float64[np.ndarray, " rank"], Float64[np.ndarray, "rank rank"]]:
        """Mean and covariance of the stored coefficients, from some 200,000 evenly spaced samples; measured once."""
        step = max(1, self.n_samples // 200_000)
        picked = np.asarray(self.coefficients[:, ::step]).astype(np.float64)
        mean = picked.mean(axis=1)
        picked -= mean[:, None]
        return mean, picked @ picked.T / picked.shape[1]

    def once(self, what: Hashable, make: Callable[[], _Made]) -> _Made:
        """What ``make`` gives, made when it is first asked for by this name; not to be changed by who gets it."""
        if what not in self._made:
            self._made.setdefault(what, make())
        return self._made[what]

    @functools.cached_property
    def _made(self) -> dict[Hashable, Any]:
        return {}

    def components(self, start: int = 0, stop: int | None = None) -> Float32[np.ndarray, "rank window"]:
        """Scaled components of samples [start, stop), in units of the basis."""
        stop = self.n_samples if stop is None else stop
        if not 0 <= start <= stop <= self.n_samples:
            raise DataError(
                f"samples [{start}, {stop}) of {self.name}", f"a window inside [0, {self.n_samples})", "ask for less"
            )
        return self.coefficients[:, start:stop].astype(np.float32) * self.scale[:, None]

    def windows(self, starts: Int64[np.ndarray, " n"], length: int) -> Float32[np.ndarray, "n rank {length}"]:
        """Scaled components of many windows of one length, each inside the entry, in units of the basis."""
        if len(starts) and not 0 <= starts.min() <= starts.max() <= self.n_samples - length:
            raise DataError(
                f"windows of {length} samples from {starts.min()} to {starts.max()} of {self.name}",
                f"windows inside [0, {self.n_samples})",
                "ask for less",
            )
        out = np.empty((len(starts), self.rank, length), np.float32)
        if isinstance(self.coefficients, np.ndarray):
            take_windows(self.coefficients, self.scale, starts, out)
        else:  # on the disk: only the windows are read
            for window, start in zip(out, starts.tolist(), strict=True):
                window[:] = self.components(start, start + length)
        return out

    def currents(self, start: int = 0, stop: int | None = None) -> Float32[np.ndarray, "segments window"]:
        """Membrane currents of samples [start, stop), in nA."""
        return self.basis @ self.components(start, stop)


def write_bank_entry(path: str | Path, entry: BankEntry, provenance: Provenance | None = None) -> None:
    """Write an entry as one HDF5 artefact; coefficients are copied in pieces, so a lazy entry stays lazy."""
    content = {
        "cell": entry.cell,
        "variant": entry.variant,
        "sampling_rate_hz": entry.sampling_rate_hz,
        "rank": entry.rank,
    }
    with create_hdf5(path, BANK_SCHEMA, provenance=provenance, content=content) as file:
        file.attrs.update(
            cell=entry.cell, variant=entry.variant, seed=entry.seed, sampling_rate_hz=entry.sampling_rate_hz
        )
        for group, values in (("error", entry.error), ("facts", entry.facts)):
            file.create_group(group).attrs.update(values)
        for name, unit in _GEOMETRY.items():
            file.create_dataset(f"geometry/{name}", data=getattr(entry.geometry, name), track_times=False).attrs[
                "unit"
            ] = unit
        for name, unit in _LOOSE.items():
            file.create_dataset(name, data=np.asarray(getattr(entry, name)), track_times=False).attrs["unit"] = unit
        target = file.create_dataset(
            "coefficients", shape=entry.coefficients.shape, dtype=entry.coefficients.dtype, track_times=False
        )
        target.attrs["unit"] = "scale"
        for start in range(0, entry.n_samples, 100_000):
            stop = min(start + 100_000, entry.n_samples)
            target[:, start:stop] = entry.coefficients[:, start:stop]


def read_bank_entry(path: str | Path, most_s: float | None = None) -> BankEntry:
    """Read an entry, or its first ``most_s`` seconds, into memory (0.2 to 1.2 MB per second, by the cell's rank).

    Raises
    ------
    FormatError
        If the file is truncated, unfinished or of another schema.
    """
    with open_hdf5(path, BANK_SCHEMA) as file:
        rate = float(file.attrs["sampling_rate_hz"])
        stop = file["coefficients"].shape[1]
        if most_s is not None:
            stop = min(stop, round(most_s * rate))
        spikes = file["spike_samples"][:]
        return BankEntry(
            cell=str(file.attrs["cell"]),
            variant=str(file.attrs["variant"]),
            seed=int(file.attrs["seed"]),
            geometry=SegmentGeometry(**{name: file[f"geometry/{name}"][:] for name in _GEOMETRY}),
            basis=file["basis"][:],
            scale=file["scale"][:],
            coefficients=file["coefficients"][:, :stop],
            spike_samples=spikes[spikes < stop],
            soma_voltage_mv=file["soma_voltage_mv"][:stop],
            sampling_rate_hz=rate,
            error={k: float(v) for k, v in file["error"].attrs.items()},
            facts={k: (v.item() if isinstance(v, np.generic) else v) for k, v in file["facts"].attrs.items()},
        )
