"""The table ``rank_error``: how the error at the electrodes falls as more components of the currents are kept."""

from __future__ import annotations

import numpy as np
import pandas as pd

from spikeline.errors import DataError
from spikeline.simulation.bank import BankEntry
from spikeline.simulation.line_source import line_source_matrix

__all__ = ["rank_error_table", "surrounding_contacts"]

_PIECE = 20_000


def surrounding_contacts(distance_um: float = 20.0) -> np.ndarray:
    """(24, 3) contacts: 20 on the corners and 4 around the middle of a box's sphere of this radius about the soma.

    The corners of a dodecahedron spread evenly over the sphere; four more lie on its equator.
    """
    golden = (1 + np.sqrt(5)) / 2
    corners = [(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]
    for a in (-1 / golden, 1 / golden):
        for b in (-golden, golden):
            corners += [(0, a, b), (a, b, 0), (b, 0, a)]
    equator = [(1, 0, 0), (-1, 0, 0), (0, 0, 1), (0, 0, -1)]
    directions = np.array([*corners, *equator], dtype=np.float64)
    return distance_um * directions / np.linalg.norm(directions, axis=1, keepdims=True)


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


def rank_error_table(
    entry: BankEntry,
    contacts_um: np.ndarray | None = None,
    *,
    conductivity_s_per_m: float = 0.3,
    most_s: float = 20.0,
    most_ranks: int = 40,
) -> pd.DataFrame:
    """Error of the currents cut to their leading 1, 2, ... principal components, at contacts around the soma.

    The cut is measured against the stored entry, over its first ``most_s`` seconds. What the entry itself lost against the
    full simulation (``entry.error``, measured when it was made) is added: to the largest error as it is (so the value is an
    upper bound), to the relative RMS error as the root of the sum of squares (the two parts are uncorrelated). The last
    rank is the stored one and carries the entry's own error alone.

    Parameters
    ----------
    entry
        A bank entry.
    contacts_um
        (n_contacts, 3) contacts; default: `surrounding_contacts` at 20 um.
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
    contacts = surrounding_contacts() if contacts_um is None else np.asarray(contacts_um, dtype=np.float64)
    stop = min(entry.n_samples, max(1, round(most_s * entry.sampling_rate_hz)))
    axes, into_axes = _principal_axes(entry, stop)
    seen = line_source_matrix(entry.geometry, contacts, conductivity_s_per_m) @ axes
    ranks = np.unique(np.linspace(1, entry.rank, min(entry.rank, most_ranks)).round().astype(int))
    largest, squares, total = np.zeros(len(ranks)), np.zeros(len(ranks)), 0.0
    for start in range(0, stop, _PIECE):
        on_axes = into_axes @ entry.components(start, min(start + _PIECE, stop))
        total += float(np.square(seen @ on_axes).sum())
        for i, rank in enumerate(ranks):
            left_out = seen[:, rank:] @ on_axes[rank:]
            largest[i] = max(largest[i], np.abs(left_out).max())
            squares[i] += np.square(left_out).sum()
    if total <= 0.0:
        raise DataError(f"{entry.name} carries no membrane current", "a simulated cell", "delete the entry and run its rule again")
    return pd.DataFrame(
        {
            "cell": entry.cell,
            "rank": ranks,
            "max_error_uv": largest + entry.error.get("max_error_uv", 0.0),
            "rms_error_percent": np.hypot(100 * np.sqrt(squares / total), entry.error.get("rms_error_percent", 0.0)),
            "n_segments": entry.geometry.n_segments,
        }
    )
