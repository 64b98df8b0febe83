"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

__all__ = ["output_option"]


def output_option(what: str) -> Any:
    """The required option ``--output``; ``what`` says what is written there."""
    return click.option("--output", "-o", required=True, type=click.Path(path_type=Path), help=what)
