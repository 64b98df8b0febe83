"""The table ``bank``: one row per bank entry, read without its currents, so that thousands take seconds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from spikeline.artifacts import open_hdf5
from spikeline.simulation.bank import BANK_SCHEMA

__all__ = ["BANK_COLUMNS", "bank_table"]

BANK_COLUMNS = (
    "cell", "variant", "seed", "split", "n_segments", "rank", "max_error_uv", "rms_error_percent", "bound_uv_at_20um",
    "rheobase_na", "n_spikes", "rate_hz", "duration_s",
)  # fmt: skip


def _row(path: str | Path, split_of: Mapping[str, str]) -> dict[str, object]:
    with open_hdf5(path, BANK_SCHEMA) as file:
        cell, error, facts = str(file.attrs["cell"]), file["error"].attrs, file["facts"].attrs
        duration = file["coefficients"].shape[1] / float(file.attrs["sampling_rate_hz"])
        spikes = int(file["spike_samples"].shape[0])
        measured = {
            name: float(error.get(name, float("nan")))
            for name in ("max_error_uv", "rms_error_percent", "bound_uv_at_20um")
        }
        return {
            "cell": cell,
            "variant": str(file.attrs["variant"]),
            "seed": int(file.attrs["seed"]),
            "split": split_of.get(cell, ""),
            "n_segments": int(file["basis"].shape[0]),
            "rank": int(file["basis"].shape[1]),
            **measured,
            "rheobase_na": float(facts.get("rheobase_na", float("nan"))),
            "n_spikes": spikes,
            "rate_hz": spikes / duration if duration else float("nan"),
            "duration_s": duration,
        }


def bank_table(paths: Iterable[str | Path], split_of: Mapping[str, str] | None = None) -> pd.DataFrame:
    """One row per bank entry, sorted by cell, variant and seed, with the columns `BANK_COLUMNS`.

    Parameters
    ----------
    paths
        Bank entries.
    split_of
        Cell model -> ``train`` or ``test``.

    Raises
    ------
    FormatError
        If a file is truncated, unfinished or not a bank entry.
    """
    table = pd.DataFrame([_row(path, split_of or {}) for path in paths], columns=list(BANK_COLUMNS))
    return table.sort_values(["cell", "variant", "seed"], ignore_index=True)
