"""The table ``traces``: the soma's voltage and what a tetrode beside the cell records of it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from jaxtyping import Float, Float64, Int

from spikeline.errors import DataError
from spikeline.simulation.bank import BankEntry
from spikeline.simulation.field.line_source import line_source_matrix

__all__ = ["lively_window", "tetrode_beside", "traces_table"]


def tetrode_beside(
    centre_um: tuple[float, float, float] = (18.0, -8.0, 20.0), pitch_um: float = 13.0
) -> Float64[np.ndarray, "4 3"]:
    """Contacts of a square tetrode facing the cell: parallel to the drawing's plane, off the soma's centre."""
    corners = np.array([[-1, 1, 0], [1, 1, 0], [-1, -1, 0], [1, -1, 0]]) * (pitch_um / 2)
    return corners + np.asarray(centre_um, dtype=np.float64)


def lively_window(spike_samples: Int[np.ndarray, " spikes"], n_samples: int, window: int, wanted: int = 3) -> int:
    """Start of the first window with ``wanted`` spikes, or as near to it as there is; its first spike lies a fifth in.

    Raises
    ------
    DataError
        If there is no spike at all.
    """
    spikes = np.sort(np.asarray(spike_samples, dtype=np.int64))
    if len(spikes) == 0:
        raise DataError(
            "a cell that never fires cannot be illustrated",
            "at least one spike",
            "raise simulation.stimulus.mean_rheobase or the duration",
        )
    starts = np.clip(spikes - window // 5, 0, max(0, n_samples - window))
    counts = np.searchsorted(spikes, starts + window) - np.searchsorted(spikes, starts)
    return int(starts[np.argmin(np.abs(counts - wanted))])


def traces_table(
    entry: BankEntry,
    contacts_um: Float[np.ndarray, "contacts 3"] | None = None,
    *,
    window_ms: float = 300.0,
    conductivity_s_per_m: float = 0.3,
) -> pd.DataFrame:
    """One row per trace and time: cell, trace, x_um, y_um, z_um, time_ms, value, unit.

    ``trace`` is ``soma`` (mV, at the origin) or ``electrode 1`` to ``electrode n`` (uV, wide band, no noise added).

    Raises
    ------
    DataError
        If the entry never fires.
    """
    contacts = tetrode_beside() if contacts_um is None else np.asarray(contacts_um, dtype=np.float64)
    window = min(round(window_ms * entry.sampling_rate_hz / 1000), entry.n_samples)
    start = lively_window(entry.spike_samples, entry.n_samples, window)
    to_contacts = line_source_matrix(entry.geometry, contacts, conductivity_s_per_m) @ entry.basis.astype(np.float64)
    potential = to_contacts @ entry.components(start, start + window)
    time = np.round(np.arange(window) * 1000 / entry.sampling_rate_hz, 6)

    def rows(trace: str, place: np.ndarray, value: np.ndarray, unit: str) -> pd.DataFrame:
        where = dict(zip(("x_um", "y_um", "z_um"), map(float, place), strict=True))
        return pd.DataFrame(
            {"cell": entry.cell, "trace": trace, **where, "time_ms": time, "value": value, "unit": unit}
        )

    soma = np.round(np.asarray(entry.soma_voltage_mv[start : start + window], dtype=np.float64), 3)
    electrodes = [
        rows(f"electrode {i + 1}", place, np.round(trace, 4), "uV")
        for i, (place, trace) in enumerate(zip(contacts, potential, strict=True))
    ]
    return pd.concat([rows("soma", np.zeros(3), soma, "mV"), *electrodes], ignore_index=True)
