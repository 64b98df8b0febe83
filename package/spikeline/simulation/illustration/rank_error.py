"""The table ``rank_error``: how the error at the electrodes falls as more components of the currents are kept."""

from __future__ import annotations

import numpy as np
import pandas as pd
from jaxtyping import Float

from spikeline.errors import DataError
from spikeline.simulation.bank import BankEntry
from spikeline.simulation.bank.field_error import per_tetrode
from spikeline.simulation.bank.reference_contacts import reference_contacts
from spikeline.simulation.field.line_source import line_source_matrix

__all__ = ["rank_error_table"]

_PIECE = 4096


def _principal_axes(entry: BankEntry, stop: int) -> tuple[np.ndarray, np.ndarray]:
    """Orthonormal axes (n_segments, rank) of the stored currents by falling power, and the map components -> axes."""
    axes, triangle = np.linalg.qr(entry.basis.astype(np.float64))
    power = np.zeros((entry.rank, entry.rank))
    for start in range(0, stop, _PIECE):
        components = entry.components(start, min(start + _PIECE, stop)).astype(np.float64)
        power += components @ components.T
    _, turn = np.linalg.eigh(triangle @ power @ triangle.T)
    turn = turn[:, ::-1]
    return axes @ turn, turn.T @ triangle


def _energy(potential: np.ndarray) -> np.ndarray:
    return per_tetrode(np.einsum("ct,ct->c", potential, potential).astype(np.float64))


def rank_error_table(
    entry: BankEntry,
    contacts_um: Float[np.ndarray, "4*tetrodes 3"] | None = None,
    *,
    reference_distance_um: float = 20.0,
    conductivity_s_per_m: float = 0.3,
    most_s: float = 10.0,
    most_ranks: int = 40,
) -> pd.DataFrame:
    """Error of the currents cut to their leading 1, 2, ... principal components, at contacts around the cell.

    The cut is measured against the stored entry, over its first ``most_s`` seconds. What the entry itself lost against
    the full simulation (``entry.error``, measured when it was made) is added: to the largest error as it is, so that
    the value is an upper bound; to the relative RMS error, which is the worst tetrode's, as the root of the sum of
    squares, the two parts being uncorrelated. The last rank is the stored one and carries the entry's own error alone.

    Parameters
    ----------
    entry
        A bank entry.
    contacts_um
        Contacts, the four of a tetrode following each other; default: the `reference_contacts` by which the entry's own
        error was measured.
    reference_distance_um
        Least distance of those from the soma's centre.
    conductivity_s_per_m
        Conductivity of the medium.
    most_s
        Length that is looked at.
    most_ranks
        Most ranks in the table; larger ranks are thinned evenly.

    Returns
    -------
    pandas.DataFrame
        cell, rank, max_error_uv, rms_error_percent, n_segments.

    Raises
    ------
    DataError
        If the entry carries no current.
    """
    if contacts_um is None:
        contacts_um = reference_contacts(entry.geometry, reference_distance_um)
    stop = min(entry.n_samples, max(1, round(most_s * entry.sampling_rate_hz)))
    axes, into_axes = _principal_axes(entry, stop)
    seen = (line_source_matrix(entry.geometry, np.asarray(contacts_um), conductivity_s_per_m) @ axes).astype(np.float32)
    into_axes = into_axes.astype(np.float32)
    n_tetrodes = len(seen) // 4
    largest, squares, total = np.zeros(entry.rank), np.zeros((entry.rank, n_tetrodes)), np.zeros(n_tetrodes)
    for start in range(0, stop, _PIECE):
        on_axes = into_axes @ entry.components(start, min(start + _PIECE, stop))
        left_out = np.zeros((len(seen), on_axes.shape[1]), np.float32)
        for rank in range(entry.rank - 1, -1, -1):  # rank + 1 components kept, all later ones left out
            if rank < entry.rank - 1:
                left_out += np.outer(seen[:, rank + 1], on_axes[rank + 1])
            largest[rank] = max(largest[rank], float(left_out.max()), -float(left_out.min()))
            squares[rank] += _energy(left_out)
        left_out += np.outer(seen[:, 0], on_axes[0])
        total += _energy(left_out)
    if not total.all():
        raise DataError(
            f"{entry.name} carries no membrane current", "a simulated cell", "delete the entry and run its rule again"
        )
    ranks = np.unique(np.linspace(1, entry.rank, min(entry.rank, most_ranks)).round().astype(int))
    return pd.DataFrame(
        {
            "cell": entry.cell,
            "rank": ranks,
            "max_error_uv": largest[ranks - 1] + entry.error.get("max_error_uv", 0.0),
            "rms_error_percent": np.hypot(
                100 * np.sqrt((squares[ranks - 1] / total).max(axis=1)), entry.error.get("rms_error_percent", 0.0)
            ),
            "n_segments": entry.geometry.n_segments,
        }
    )
