"""Tables for a terminal or a log."""

from __future__ import annotations

from typing import Any

__all__ = ["number", "percent", "print_table"]


def print_table(header: tuple[str, ...], rows: list[tuple[str, ...]], right: tuple[int, ...] = ()) -> None:
    """Print rows under a header; columns named in ``right`` are aligned to the right."""
    from rich.console import Console
    from rich.table import Table

    # Long cells fold instead of being cut: a path or key that cannot be copied is of no use.
    table = Table(box=None, pad_edge=False)
    for index, title in enumerate(header):
        table.add_column(title, justify="right" if index in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_plain_text(cell) for cell in row))
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=240)  # in a pipe or a log one row is one line
    console.print(table)


def _plain_text(cell: str) -> Any:
    from rich.text import Text

    return Text(cell)  # brackets in paths are no markup


def number(value: Any) -> str:
    """A value of a summary with six significant digits."""
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


def percent(relative: float | None) -> str:
    """A relative change in percent, empty where there is none."""
    return "" if relative is None else f"{100 * relative:+.3g} %"
