"""From cells to recordings, one step at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from spikeline.cli.options import output_option
from spikeline.errors import ConfigError

__all__ = ["compile_mechanisms", "currents", "record", "rheobase"]

_CONFIG = click.argument("config_file", metavar="CONFIG", type=click.Path(path_type=Path))
_VARIANT = click.option(
    "--variant", default="v000", show_default=True, help="Which variant; v000 is the model as published."
)
_MECHANISMS = click.option(
    "--mechanisms",
    type=click.Path(path_type=Path),
    help="Folder made by compile-mechanisms; not needed for cells of NEURON's built-ins.",
)


@click.command("compile-mechanisms")
@_CONFIG
@output_option("Folder for the compiled library.")
def compile_mechanisms(config_file: Path, output: Path) -> None:
    """Compile the ion channels of the cell models that CONFIG names, once for all of them. Needs g++ and make.

    \b
    Example:
      spikeline compile-mechanisms config/quick.yaml -o my/mechanisms
    """
    from spikeline.artifacts import Provenance
    from spikeline.config.load import load_run
    from spikeline.simulation.cells import mechanisms
    from spikeline.simulation.cells.cell_sources import find_cell_models

    cells = load_run(config_file).simulation.cells
    models = find_cell_models(cells)
    mechanisms.compile_mechanisms(models.values(), output, Provenance({"cells": sorted(models)}))
    click.echo(f"{output}: ion channels of {len(models)} cell models")


@click.command()
@_CONFIG
@click.argument("cell")
@_VARIANT
@_MECHANISMS
@output_option("JSON file for the result.")
def rheobase(config_file: Path, cell: str, variant: str, mechanisms: Path | None, output: Path) -> None:
    """Measure the smallest step current (nA) that makes a CELL of CONFIG fire.

    \b
    Example:
      spikeline rheobase config/quick.yaml L5_NBC_bAC217_1 --mechanisms my/mechanisms -o my/rheobase.json
    """
    from spikeline.config.load import load_run
    from spikeline.simulation.bank.rheobase import measure_rheobase

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


@click.command()
@_CONFIG
@click.argument("cell")
@_VARIANT
@click.option("--seed", default=0, show_default=True, help="Which stimulus: 0, 1, ... up to simulation.bank.seeds.")
@click.option(
    "--rheobase", "rheobase_file", required=True, type=click.Path(path_type=Path), help="Made by the command rheobase."
)
@_MECHANISMS
@output_option("HDF5 file for the bank entry.")
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
    from spikeline.simulation.bank.currents import simulate_bank_entry

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


@click.command()
@_CONFIG
@click.argument("recording")
@click.option(
    "--bank",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder of bank entries, CELL/VARIANT-SEED.h5 each, e.g. results/quick/simulation/currents.",
)
@click.option("--threads", default=2, show_default=True, help="Threads that synthesise and write.")
@output_option("Folder for the recording.")
def record(config_file: Path, recording: str, bank: Path, threads: int, output: Path) -> None:
    """Make a RECORDING that CONFIG names from the bank: traces (uV), true spike times, probe and unit table.

    \b
    Example:
      spikeline record config/quick.yaml tetrode_drift --bank results/quick/simulation/currents -o my/tetrode_drift
    """
    from spikeline.artifacts import Provenance
    from spikeline.config.load import load_run
    from spikeline.simulation.recordings import make_recording, read_entries, write_recording
    from spikeline.simulation.shards import cast_of_recording

    settings = load_run(config_file)
    _checked_choice(recording, list(settings.recordings), f"recordings of {config_file}")
    wanted = settings.recordings[recording]
    cast = cast_of_recording(settings, recording)
    paths = [[bank / f"{shard.name}.h5" for shard in shards] for shards in cast]
    entries = read_entries(*paths, wanted)
    made = make_recording(
        entries.units,
        wanted,
        settings.seed,
        recording,
        background=entries.background,
        allowed_cells=getattr(settings.simulation.cells, wanted.split),
        conductivity_s_per_m=settings.simulation.bank.conductivity_s_per_m,
    )
    provenance = Provenance({"recording": wanted.plain()}, settings.seed, {*paths[0], *paths[1]}, bank)
    write_recording(output, made, provenance=provenance, threads=threads)
    click.echo(f"{output}: {len(made.units)} units, {wanted.duration_s:g} s at {wanted.sampling_rate_hz:g} Hz")


def _cell_model(cells: Any, name: str) -> Any:
    from spikeline.simulation.cells.cell_sources import find_cell_models

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
