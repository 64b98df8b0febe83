"""All tables that are made from the bank, in one pass that holds one entry at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from spikeline.errors import DataError
from spikeline.simulation.bank import BankEntry, read_bank_entry
from spikeline.simulation.illustration.bank_summary import bank_table
from spikeline.simulation.illustration.footprint import footprint_table
from spikeline.simulation.illustration.morphology import morphology_table
from spikeline.simulation.illustration.rank_error import rank_error_table
from spikeline.simulation.illustration.traces import traces_table

__all__ = ["bank_tables"]


def bank_tables(
    paths: Sequence[str | Path],
    *,
    split_of: Mapping[str, str] | None = None,
    traces_cell: str | None = None,
    reference_distance_um: float = 20.0,
    conductivity_s_per_m: float = 0.3,
) -> dict[str, pd.DataFrame]:
    """The tables morphology, footprint, rank_error, traces and bank.

    The first entry of each cell model, in the order of ``paths``, stands for it; ``bank`` has a row for every entry.
    A cell that never fired has no footprint and so is left out of that table.

    Parameters
    ----------
    paths
        Bank entries.
    split_of
        Cell model -> ``train`` or ``test``, for the bank table.
    traces_cell
        The cell whose traces are drawn; default: the cell with the largest extracellular spike.
    reference_distance_um, conductivity_s_per_m
        Those of the bank (``simulation.bank``): where its errors were measured, and in which medium.

    Raises
    ------
    DataError
        If there is no entry, none fires, or ``traces_cell`` is not among those that do.
    FormatError
        If a file is not a bank entry.
    """
    if not paths:
        raise DataError("no bank entry was given", "at least one", "simulate the bank first")
    bank = bank_table(paths, split_of)
    first: dict[str, Path] = {}
    for path in paths:
        first.setdefault(_cell_of(path), Path(path))
    parts: dict[str, list[pd.DataFrame]] = {"morphology": [], "footprint": [], "rank_error": []}
    amplitude: dict[str, float] = {}
    for cell, path in first.items():
        entry = read_bank_entry(path)
        parts["morphology"].append(morphology_table(cell, entry.geometry))
        parts["rank_error"].append(
            rank_error_table(
                entry, reference_distance_um=reference_distance_um, conductivity_s_per_m=conductivity_s_per_m
            )
        )
        if _fires(entry):
            footprint = footprint_table(entry, conductivity_s_per_m=conductivity_s_per_m)
            parts["footprint"].append(footprint)
            amplitude[cell] = float(footprint["potential_uv"].abs().max())
    cell = traces_cell or max(amplitude, key=amplitude.get, default="")
    if cell not in amplitude:
        raise DataError(
            f"no trace to draw: {cell or 'every cell'} never fires",
            f"one of {', '.join(amplitude) or 'the cells, firing'}",
            "raise simulation.stimulus.mean_rheobase or simulation.bank.duration_s",
        )
    traces = traces_table(read_bank_entry(first[cell]), conductivity_s_per_m=conductivity_s_per_m)
    return {
        **{name: pd.concat(tables, ignore_index=True) for name, tables in parts.items()},
        "traces": traces,
        "bank": bank,
    }


def _cell_of(path: str | Path) -> str:
    return str(bank_table([path])["cell"].iloc[0])


def _fires(entry: BankEntry) -> bool:
    """True if a whole spike, with room for its window, was simulated."""
    margin_before, margin_after = (round(ms * entry.sampling_rate_hz / 1000) for ms in (1.0, 3.0))
    spikes = entry.spike_samples
    return bool(((spikes >= margin_before) & (spikes + margin_after < entry.n_samples)).any())
