"""Placing bank entries by our own line-source kernel against LFPy's electrode, on the same currents."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from spikeline.artifacts import Provenance, seed_stream, write_json
from spikeline.simulation.bank import BankEntry, read_bank_entry
from spikeline.simulation.field.line_source import line_source_matrix

__all__ = ["placement_error", "write_placement_check"]

_TETRODE_UM = np.array([[x, 0.0, z] for x in (-6.5, 6.5) for z in (-6.5, 6.5)])


def placement_error(
    entry: BankEntry,
    root_seed: int,
    *,
    placements: int = 10,
    distance_um: float = 20.0,
    conductivity_s_per_m: float = 0.3,
) -> float:
    """Largest difference between our potentials and LFPy's, relative to the largest potential of each placement.

    Tetrodes are put at ``distance_um`` and further from the soma, in random directions; both sides get the
    same currents of all segments, (n_segments, n_samples): the check is of the placement, not of the low-rank form.
    """
    from LFPy import RecExtElectrode
    from lfpykit import CellGeometry

    stop = min(entry.n_samples, 20_000)
    currents = entry.currents(0, stop).astype(np.float64)
    geometry = entry.geometry
    axes = [np.stack([geometry.start_um[:, axis], geometry.end_um[:, axis]], axis=1) for axis in range(3)]
    cell = CellGeometry(*axes, geometry.diameter_um)
    stream = seed_stream(root_seed, "placement check", entry.name)
    worst = 0.0
    for _ in range(placements):
        direction = stream.normal(size=3)
        contacts = _TETRODE_UM + direction / np.linalg.norm(direction) * (distance_um + stream.exponential(30.0))
        with warnings.catch_warnings():
            # LFPykit says on every contact inside a segment that it moves it to the surface; ours does the same.
            warnings.simplefilter("ignore", UserWarning)
            electrode = RecExtElectrode(
                cell, sigma=conductivity_s_per_m, x=contacts[:, 0], y=contacts[:, 1], z=contacts[:, 2]
            )
            reference_uv = 1000.0 * electrode.get_transformation_matrix() @ currents
        ours_uv = line_source_matrix(geometry, contacts, conductivity_s_per_m) @ currents
        worst = max(worst, float(np.abs(ours_uv - reference_uv).max() / np.abs(reference_uv).max()))
    return worst


def write_placement_check(
    path: str | Path,
    entries: Iterable[str | Path],
    root_seed: int,
    *,
    conductivity_s_per_m: float = 0.3,
    provenance: Provenance | None = None,
) -> None:
    """Write ``simulation.placement.relative_error``, the worst over the entries, as a part of the summary."""
    worst = max(
        placement_error(read_bank_entry(entry), root_seed, conductivity_s_per_m=conductivity_s_per_m)
        for entry in entries
    )
    write_json(
        path, {"simulation": {"placement": {"relative_error": worst}}}, schema="summary-part", provenance=provenance
    )
