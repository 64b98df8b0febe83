"""``spikeline``: everything a rule does, by hand; and the checks of configurations and results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from spikeline import __version__
from spikeline.errors import ConfigError, SpikelineError

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


# ------------------------------------------------------------------------------------------------- simulation

_CONFIG = click.argument("config_file", metavar="CONFIG", type=click.Path(path_type=Path))
_VARIANT = click.option(
    "--variant", default="v000", show_default=True, help="Which variant; v000 is the model as published."
)
_MECHANISMS = click.option(
    "--mechanisms",
    type=click.Path(path_type=Path),
    help="Folder made by compile-mechanisms; not needed for cells of NEURON's built-ins.",
)


def _output(what: str) -> Any:
    return click.option("--output", "-o", required=True, type=click.Path(path_type=Path), help=what)


@command_line.command("compile-mechanisms")
@_CONFIG
@_output("Folder for the compiled library.")
def compile_mechanisms(config_file: Path, output: Path) -> None:
    """Compile the ion channels of the cell models that CONFIG names, once for all of them. Needs g++ and make.

    \b
    Example:
      spikeline compile-mechanisms config/quick.yaml -o my/mechanisms
    """
    from spikeline.artifacts import Provenance
    from spikeline.config.load import load_run
    from spikeline.simulation import mechanisms
    from spikeline.simulation.cell_sources import find_cell_models

    cells = load_run(config_file).simulation.cells
    models = find_cell_models(cells)
    mechanisms.compile_mechanisms(models.values(), output, Provenance({"cells": sorted(models)}))
    click.echo(f"{output}: ion channels of {len(models)} cell models")


@command_line.command()
@_CONFIG
@click.argument("cell")
@_VARIANT
@_MECHANISMS
@_output("JSON file for the result.")
def rheobase(config_file: Path, cell: str, variant: str, mechanisms: Path | None, output: Path) -> None:
    """Measure the smallest step current (nA) that makes a CELL of CONFIG fire.

    \b
    Example:
      spikeline rheobase config/quick.yaml L5_NBC_bAC217_1 --mechanisms my/mechanisms -o my/rheobase.json
    """
    from spikeline.config.load import load_run
    from spikeline.simulation.rheobase import measure_rheobase

    settings = load_run(config_file)
    simulation = settings.simulation
    found = measure_rheobase(
        _cell_model(simulation.cells, cell),
        variant,
        output,
        integration=simulation.integration,
        rheobase=simulation.rheobase,
        variants=simulation.cells.variants,
        mechanisms=mechanisms,
        root_seed=settings.seed,
        provenance=_provenance(settings, ["cells", "integration", "rheobase"]),
    )
    click.echo(f"{cell} {variant}: {found.rheobase_na:g} nA")


@command_line.command()
@_CONFIG
@click.argument("cell")
@_VARIANT
@click.option("--seed", default=0, show_default=True, help="Which stimulus: 0, 1, ... up to simulation.bank.seeds.")
@click.option(
    "--rheobase", "rheobase_file", required=True, type=click.Path(path_type=Path), help="Made by the command rheobase."
)
@_MECHANISMS
@_output("HDF5 file for the bank entry.")
def currents(
    config_file: Path, cell: str, variant: str, seed: int, rheobase_file: Path, mechanisms: Path | None, output: Path
) -> None:
    """Simulate the membrane currents (nA) of a CELL of CONFIG: one bank entry, simulation.bank.duration_s (s) long.

    A killed run resumes at its last finished slice.

    \b
    Example:
      spikeline currents config/quick.yaml L5_NBC_bAC217_1 --rheobase my/rheobase.json \\
        --mechanisms my/mechanisms -o my/currents/L5_NBC_bAC217_1/v000-0.h5
    """
    from spikeline.config.load import load_run
    from spikeline.simulation.currents import simulate_bank_entry

    settings = load_run(config_file)
    simulation = settings.simulation
    error = simulate_bank_entry(
        _cell_model(simulation.cells, cell),
        variant,
        seed,
        rheobase_file,
        output,
        integration=simulation.integration,
        stimulus=simulation.stimulus,
        bank=simulation.bank,
        variants=simulation.cells.variants,
        root_seed=settings.seed,
        mechanisms=mechanisms,
        provenance=_provenance(settings, ["cells", "integration", "stimulus", "bank"], [rheobase_file]),
    )
    click.echo(f"{output}: " + ", ".join(f"{name} {value:.3g}" for name, value in error.items()))


@command_line.command()
@_CONFIG
@click.argument("recording")
@click.option(
    "--bank",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder of bank entries, CELL/VARIANT-SEED.h5 each, e.g. results/quick/simulation/currents.",
)
@click.option("--threads", default=2, show_default=True, help="Threads that synthesise and write.")
@_output("Folder for the recording.")
def record(config_file: Path, recording: str, bank: Path, threads: int, output: Path) -> None:
    """Make a RECORDING that CONFIG names from the bank: traces (uV), true spike times, probe and unit table.

    \b
    Example:
      spikeline record config/quick.yaml tetrode_drift --bank results/quick/simulation/currents -o my/tetrode_drift
    """
    from spikeline.artifacts import Provenance
    from spikeline.config.load import load_run
    from spikeline.simulation.bank import read_bank_entry
    from spikeline.simulation.recordings import make_recording, write_recording
    from spikeline.simulation.shards import cast_of_recording

    settings = load_run(config_file)
    _checked_choice(recording, list(settings.recordings), f"recordings of {config_file}")
    wanted = settings.recordings[recording]
    cast = cast_of_recording(settings, recording)
    paths = {shard: bank / f"{shard.name}.h5" for shard in [*cast.units, *cast.background]}
    entries = {shard: read_bank_entry(path) for shard, path in paths.items()}
    made = make_recording(
        [entries[shard] for shard in cast.units],
        wanted,
        settings.seed,
        recording,
        background=[entries[shard] for shard in cast.background],
        allowed_cells=getattr(settings.simulation.cells, wanted.split),
        conductivity_s_per_m=settings.simulation.bank.conductivity_s_per_m,
    )
    provenance = Provenance({"recording": wanted.plain()}, settings.seed, paths.values(), bank)
    write_recording(output, made, provenance=provenance, threads=threads)
    click.echo(f"{output}: {len(made.units)} units, {wanted.duration_s:g} s at {wanted.sampling_rate_hz:g} Hz")


def _cell_model(cells: Any, name: str) -> Any:
    from spikeline.simulation.cell_sources import find_cell_models

    _checked_choice(name, cells.names, "cell models")
    return find_cell_models(cells)[name]


def _provenance(settings: Any, blocks: list[str], inputs: list[Path] | None = None) -> Any:
    from spikeline.artifacts import Provenance

    return Provenance(
        {name: getattr(settings.simulation, name).plain() for name in blocks}, settings.seed, inputs or ()
    )


def _checked_choice(name: str, choices: list[str], what: str) -> None:
    import difflib

    if name not in choices:
        near = difflib.get_close_matches(name, choices, 1)
        raise ConfigError(
            f"{name!r} is none of the {what}",
            f"one of {', '.join(choices) or 'none'}",
            f"did you mean {near[0]}?" if near else "add it to the configuration, or choose one of those",
        )


# ---------------------------------------------------------------------------------------------------- sorting


@command_line.command("sort")
@click.argument("recording", type=click.Path(path_type=Path))
@click.argument("sorter")
@click.option(
    "--parameters",
    default="{}",
    show_default=True,
    help="Parameters of the sorter as YAML, e.g. '{apply_preprocessing: false}'.",
)
@click.option("--seed", default=42, show_default=True, help="Root seed.")
@click.option("--threads", default=1, show_default=True, help="Worker threads.")
@_output("HDF5 file for the sorting.")
def sort_command(recording: Path, sorter: str, parameters: str, seed: int, threads: int, output: Path) -> None:
    """Sort a RECORDING (a folder made by `spikeline record`) with a SORTER of SpikeInterface.

    \b
    Example:
      spikeline sort results/quick/recordings/tetrode_static simple -o my/simple.h5
    """
    from spikeline.config.sorting import SorterSettings
    from spikeline.config.yaml_text import parse_yaml
    from spikeline.sorting.steps import sort_to_file

    values, _ = parse_yaml(parameters, "--parameters")
    if not isinstance(values, dict):
        raise ConfigError(
            f"--parameters holds {values!r}", "names with values, e.g. '{detect_threshold: 5}'", "write a block"
        )
    note = sort_to_file(recording, output, SorterSettings(sorter=sorter, parameters=values), seed=seed, threads=threads)
    click.echo(f"{output}: {note or 'sorted'}")


@command_line.command()
@click.argument("recording", type=click.Path(path_type=Path))
@click.argument("sortings", metavar="NAME=SORTING...", nargs=-1, required=True)
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path),
    help="Take tolerances (ms) and band (Hz) from this configuration.",
)
@click.option(
    "--scores",
    required=True,
    type=click.Path(path_type=Path),
    help="CSV file for the scores, one row per unit and rule.",
)
@click.option(
    "--counts",
    required=True,
    type=click.Path(path_type=Path),
    help="CSV file for counts of missed, false and merged units.",
)
def score(recording: Path, sortings: tuple[str, ...], config_file: Path | None, scores: Path, counts: Path) -> None:
    """Score sortings of a simulated RECORDING against its true spike times, by SpikeInterface's rule and by SimSort's.

    \b
    Example:
      spikeline score results/quick/recordings/tetrode_static simple=my/simple.h5 \\
        --scores my/scores.csv --counts my/counts.csv
    """
    from spikeline.artifacts import read_csv
    from spikeline.config.load import load_run
    from spikeline.config.sorting import SortingSettings
    from spikeline.sorting.steps import score_to_files

    named: dict[str, Path] = {}
    for text in sortings:
        name, equals, path = text.partition("=")
        if not (name and equals and path):
            raise ConfigError(
                f"the sorting {text!r}",
                "NAME=FILE, e.g. simple=my/simple.h5",
                "put a name for the tables before the file",
            )
        named[name] = Path(path)
    settings = load_run(config_file).sorting if config_file is not None else SortingSettings()
    score_to_files(recording, named, scores, counts, settings.scoring, settings.filter_hz)
    click.echo(f"{scores}: {len(read_csv(scores))} rows")


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
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=240)  # in a pipe or a log one row is one line
    console.print(table)


def _plain_text(cell: str) -> Any:
    from rich.text import Text

    return Text(cell)  # brackets in paths are no markup


def _number(value: Any) -> str:
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


def _percent(relative: float | None) -> str:
    return "" if relative is None else f"{100 * relative:+.3g} %"
