"""Checks of results: verify and compare."""

from __future__ import annotations

import json
from pathlib import Path

import click

from spikeline.cli.printing import number, percent, print_table

__all__ = ["compare", "verify"]


@click.command()
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
            print_table(("finding", "path", "what it means"), rows)
        wrong = sum(not finding.harmless for finding in report.findings)
        verdict = "all as their manifests say" if report.ok else f"{wrong} {'problem' if wrong == 1 else 'problems'}"
        click.echo(f"{results}: {report.artifacts} artefacts, {report.bytes / 1e6:.1f} MB, {verdict}")
    if not report.ok:
        raise SystemExit(1)


@click.command()
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
            rows = [(d.key, number(d.before), number(d.now), percent(d.relative), d.verdict) for d in shown]
            print_table(("key", "reference", "now", "change", ""), rows, right=(1, 2, 3))
        click.echo(f"{len(differences)} numbers compared, {len(moved)} moved, new or gone")
    if moved:
        raise SystemExit(1)
