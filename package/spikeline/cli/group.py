"""How every command fails: a message and an exit code, no traceback."""

from __future__ import annotations

from typing import Any

import click

from spikeline.errors import SpikelineError

__all__ = ["Commands"]


class Commands(click.Group):
    """A group whose commands end a `SpikelineError` with its message and exit code 2, without a traceback."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except SpikelineError as error:
            click.echo(f"{type(error).__name__}: {error}", err=True)
            context.exit(2)
