"""Save a figure as PDF, as PNG, and with the table it was drawn from; the same bytes for the same content."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from spikeline.artifacts import Provenance, atomic_file, write_csv, write_manifest
from spikeline.errors import FormatError
from spikeline.figures.style import figure_style

__all__ = ["save_figure", "stacked"]

# No dates, no version of the drawing library: equal content gives equal bytes.
_METADATA = {"pdf": {"CreationDate": None, "Creator": "spikeline", "Producer": None}, "png": {"Software": None}}
_MAGIC = {"pdf": b"%PDF-", "png": b"\x89PNG\r\n\x1a\n"}


def stacked(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One tidy table of several: a first column ``table`` says which one a row is from; absent columns stay empty."""
    return pd.concat([table.assign(table=name) for name, table in tables.items()], ignore_index=True)[
        ["table", *dict.fromkeys(column for table in tables.values() for column in table.columns)]
    ]


def _check(path: Path, kind: str) -> None:
    if not path.read_bytes().startswith(_MAGIC[kind]):
        raise FormatError(
            f"{path.name} is not a {kind.upper()} file", f"a whole {kind.upper()}", "draw the figure again"
        )


def save_figure(
    figure: Figure, out_prefix: str | Path, tables: Mapping[str, pd.DataFrame], *, provenance: Provenance | None = None
) -> dict[str, Path]:
    """Write ``{out_prefix}.pdf``, ``.png`` and ``.csv``, each whole or not at all, each with its manifest.

    Parameters
    ----------
    figure
        The finished figure.
    out_prefix
        Where it goes, without an ending, e.g. ``results/quick/figures/cells``.
    tables
        What was drawn, by name; one table is saved as it is, several are stacked (`stacked`).
    provenance
        What the figure depended on, for the manifests.

    Returns
    -------
    dict
        Ending (``pdf``, ``png``, ``csv``) -> path.

    Raises
    ------
    DataError
        If the disk is full.
    """
    paths = {ending: Path(f"{out_prefix}.{ending}") for ending in ("pdf", "png", "csv")}
    for ending, metadata in _METADATA.items():
        with atomic_file(paths[ending], lambda p, kind=ending: _check(p, kind)) as temporary, figure_style():
            figure.savefig(temporary, format=ending, metadata=metadata)
        write_manifest(paths[ending], schema=f"figure-{ending}", provenance=provenance)
    table = next(iter(tables.values())) if len(tables) == 1 else stacked(tables)
    write_csv(paths["csv"], table, schema="figure-table", provenance=provenance)
    return paths
