"""Look at configurations, and keep the files written from the settings models in step."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from spikeline.cli.group import Commands

__all__ = ["config"]


@click.group(cls=Commands)
def config() -> None:
    """Look at configurations, and keep the files written from the settings models in step."""


@config.command("check")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--root", default=".", type=click.Path(path_type=Path), show_default=True, help="Root of the checkout.")
def config_check(files: tuple[Path, ...], root: Path) -> None:
    """Check configuration FILES, each on its own; without any, the committed schema and reference file.

    \b
    Example:
      spikeline config check config/my_cells.yaml
    """
    from spikeline.config.committed import check_committed
    from spikeline.config.load import load_run

    if not files:
        check_committed(root)
        click.echo("schema and reference file are in step with the settings models")
    for file in files:
        load_run(file)
        click.echo(f"{file}: every setting can be used")


@config.command("write")
@click.option("--root", default=".", type=click.Path(path_type=Path), show_default=True, help="Root of the checkout.")
def config_write(root: Path) -> None:
    """Write the JSON schema and the commented reference file from the settings models.

    \b
    Example:
      spikeline config write
    """
    from spikeline.config.committed import write_committed

    click.echo("\n".join(f"wrote {name}" for name in write_committed(root)) or "everything was in step")


@config.command("show")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Override a setting, e.g. simulation.bank.duration_s=5 (s).",
)
def config_show(files: tuple[Path, ...], overrides: tuple[str, ...]) -> None:
    """Print what FILES (later ones win) resolve to: every key with its value, as JSON; units end the keys.

    \b
    Example:
      spikeline config show config/quick.yaml --set seed=7
    """
    from spikeline.config.load import load_run, parse_override

    changes: dict[str, Any] = {}
    for text in overrides:
        changes |= parse_override(text)
    click.echo(json.dumps(load_run(files, changes).plain(), indent=1))
