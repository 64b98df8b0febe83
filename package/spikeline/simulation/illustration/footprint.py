"""The table ``footprint``: the mean spike at a grid of electrodes around each cell's soma."""

from __future__ import annotations

import numpy as np
import pandas as pd
from jaxtyping import Float, Float64

from spikeline.simulation.bank import BankEntry
from spikeline.simulation.illustration.extracellular_spike import extracellular_spike

__all__ = ["electrode_grid", "footprint_table"]


def electrode_grid(
    half_width_um: float = 75.0, half_height_um: float = 100.0, step_um: float = 25.0, plane_um: float = 20.0
) -> Float64[np.ndarray, "contacts 3"]:
    """Positions on a regular grid around the soma, in the plane z = ``plane_um``: in front of it, not in it."""
    across = np.arange(-half_width_um, half_width_um + step_um / 2, step_um)
    up = np.arange(-half_height_um, half_height_um + step_um / 2, step_um)
    x, y = np.meshgrid(across, up)
    return np.column_stack([x.ravel(), y.ravel(), np.full(x.size, plane_um)])


def footprint_table(
    entry: BankEntry, contacts_um: Float[np.ndarray, "contacts 3"] | None = None, *, conductivity_s_per_m: float = 0.3
) -> pd.DataFrame:
    """One row per electrode and time: cell, x_um, y_um, time_ms, potential_uv.

    Raises
    ------
    DataError
        If the entry never fires.
    """
    contacts = electrode_grid() if contacts_um is None else np.asarray(contacts_um, dtype=np.float64)
    time, potential = extracellular_spike(entry, contacts, conductivity_s_per_m=conductivity_s_per_m)
    return pd.DataFrame(
        {
            "cell": entry.cell,
            "x_um": np.repeat(contacts[:, 0], len(time)),
            "y_um": np.repeat(contacts[:, 1], len(time)),
            "time_ms": np.round(np.tile(time, len(contacts)), 6),
            "potential_uv": np.round(potential.ravel(), 4),
        }
    )
