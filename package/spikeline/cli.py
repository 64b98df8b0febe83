"""``spikeline``: everything a rule does, by hand; and the checks of configurations and results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from spikeline import __version__
from spikeline.errors import SpikelineError

__all__ = ["command_line", "main"]

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


class _Commands(click.Group):
    """A group whose commands end a `SpikelineError` with its message and exit code 2, without a traceback."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except SpikelineError as error:
            click.echo(f"{type(error).__name__}: {error}", err=True)
            context.exit(2)


@click.group(cls=_Commands, context_settings=_CONTEXT)
@click.version_option(__version__, prog_name="spikeline")
def command_line() -> None:
    """From biophysical neurons to sorted, scored recordings, one step at a time.

    The workflow (`snakemake`) runs these steps for you; here each can be run by hand on files of your own.
    Exit codes: 0 all well, 1 a check found something, 2 an error.
    """


def main() -> None:
    """Entry point of the command ``spikeline``."""
    command_line(prog_name="spikeline")


# ---------------------------------------------------------------------------------------------------- results


@command_line.command()
@click.argument("results", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def verify(results: Path, as_json: bool) -> None:
    """Recheck a tree of results: sizes, checksums, schemas, stale inputs, pickles, links that lead outside.

    Exit code 1 if anything is wrong.

    \b
    Example:
      spikeline verify results/quick
    """
    from spikeline.artifacts.verify import verify_tree

    report = verify_tree(results)
    if as_json:
        click.echo(json.dumps(report.plain(), indent=1))
    else:
        if report.findings:
            rows = [(finding.kind, finding.path, finding.message) for finding in report.findings]
            _print_table(("finding", "path", "what it means"), rows)
        wrong = sum(not finding.harmless for finding in report.findings)
        verdict = "all as their manifests say" if report.ok else f"{wrong} {'problem' if wrong == 1 else 'problems'}"
        click.echo(f"{results}: {report.artifacts} artefacts, {report.bytes / 1e6:.1f} MB, {verdict}")
    if not report.ok:
        raise SystemExit(1)


@command_line.command()
@click.argument("results", type=click.Path(path_type=Path))
@click.argument("reference", type=click.Path(path_type=Path))
@click.option(
    "--relative", default=0.0, show_default=True, help="Tolerated change as a fraction of the reference (0.05 is 5 %)."
)
@click.option(
    "--absolute",
    default=0.0,
    show_default=True,
    help="Tolerated change in the number's own unit; the larger tolerance counts.",
)
@click.option(
    "--ignore", multiple=True, metavar="PATTERN", help="Leave out keys like this, e.g. 'benchmark.*'; may be repeated."
)
@click.option("--all", "show_all", is_flag=True, help="Show what did not move, too.")
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON.")
def compare(
    results: Path,
    reference: Path,
    relative: float,
    absolute: float,
    ignore: tuple[str, ...],
    show_all: bool,
    as_json: bool,
) -> None:
    """Compare the headline numbers of RESULTS with those of REFERENCE (folders with a summary.json, or the files).

    Numbers keep the unit that their key names (_uv is uV, _percent is %). Exit code 1 if a number moved beyond the
    tolerance, is new or gone.

    \b
    Example:
      spikeline compare results/standard docs/results/standard --relative 0.02 --ignore 'benchmark.*'
    """
    from spikeline.artifacts.compare import compare_summaries, read_summary

    if relative < 0 or absolute < 0:
        raise click.BadParameter("a tolerance is 0 or more")
    differences = compare_summaries(
        read_summary(results), read_summary(reference), relative=relative, absolute=absolute, ignore=ignore
    )
    moved = [difference for difference in differences if difference.verdict != "same"]
    if as_json:
        click.echo(json.dumps([vars(difference) for difference in differences], indent=1))
    else:
        shown = differences if show_all else moved
        if shown:
            rows = [(d.key, _number(d.before), _number(d.now), _percent(d.relative), d.verdict) for d in shown]
            _print_table(("key", "reference", "now", "change", ""), rows, right=(1, 2, 3))
        click.echo(f"{len(differences)} numbers compared, {len(moved)} moved, new or gone")
    if moved:
        raise SystemExit(1)


# ---------------------------------------------------------------------------------------------- configuration


@command_line.group(cls=_Commands)
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


# ---------------------------------------------------------------------------------------------------- printing


def _print_table(header: tuple[str, ...], rows: list[tuple[str, ...]], right: tuple[int, ...] = ()) -> None:
    from rich.console import Console
    from rich.table import Table

    # Long cells fold instead of being cut: a path or key that cannot be copied is of no use.
    table = Table(box=None, pad_edge=False)
    for index, title in enumerate(header):
        table.add_column(title, justify="right" if index in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_plain_text(cell) for cell in row))
    Console(file=click.get_text_stream("stdout"), highlight=False).print(table)


def _plain_text(cell: str) -> Any:
    from rich.text import Text

    return Text(cell)  # brackets in paths are no markup


def _number(value: Any) -> str:
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


def _percent(relative: float | None) -> str:
    return "" if relative is None else f"{100 * relative:+.3g} %"
