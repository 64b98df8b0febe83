"""Train SimSort's networks, and make a run's weights those that come along."""

from __future__ import annotations

from pathlib import Path

import click

from spikeline.cli.options import output_option

__all__ = ["ship_weights", "train"]


@click.command()
@click.argument("config_file", metavar="CONFIG", type=click.Path(path_type=Path))
@click.argument("network", type=click.Choice(["detector", "identifier"]))
@click.option(
    "--bank",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder of bank entries, CELL/VARIANT-SEED.h5 each, e.g. results/quick/simulation/currents.",
)
@click.option("--threads", default=1, show_default=True, help="Batches made at the same time; changes no result.")
@click.option("--log", type=click.Path(path_type=Path), help="CSV file for the losses; beside the weights by default.")
@output_option("File for the weights (.safetensors); their card goes beside it.")
def train(config_file: Path, network: str, bank: Path, threads: int, log: Path | None, output: Path) -> None:
    """Train a NETWORK of SimSort on the training side of the bank, as simsort.NETWORK of CONFIG says.

    A killed run goes on from its last checkpoint.

    \b
    Example:
      spikeline train config/quick.yaml detector --bank results/quick/simulation/currents -o my/detector.safetensors
    """
    from spikeline.artifacts import Provenance
    from spikeline.config.load import load_run
    from spikeline.sorting.simsort import train as training
    from spikeline.sorting.simsort.training_shards import training_shards, validation_cells

    settings = load_run(config_file)
    files = [bank / f"{shard.name}.h5" for shard in training_shards(settings)]
    wanted = getattr(settings.simsort, network)
    function = {"detector": training.train_detector_to_file, "identifier": training.train_identifier_to_file}[network]
    job = training.TrainingJob(
        bank_files=files,
        output=output,
        log_csv=log or output.with_suffix(".csv"),
        seed=settings.seed,
        allowed_cells=settings.simulation.cells.train,
        validation_cells=validation_cells(settings),
        bank_s=settings.simsort.bank_s,
        batch_threads=threads,
        provenance=Provenance({"training": wanted.plain()}, settings.seed, files, bank),
    )
    function(wanted, job)
    click.echo(f"{output}: {wanted.training.steps} steps")


@click.command("ship-weights")
@click.argument("folder", type=click.Path(path_type=Path))
def ship_weights(folder: Path) -> None:
    """Make the weights in FOLDER those that `simsort` uses when it is told no others: they are copied into the package.

    \b
    Example:
      spikeline ship-weights results/standard/sorting/simsort/weights
    """
    from spikeline.sorting.simsort.weight_files import SHIPPED_WEIGHTS
    from spikeline.sorting.simsort.weight_files import ship_weights as ship

    for network, card in ship(folder).items():
        steps = card.get("last", {}).get("training", {}).get("step", "an unknown number of")
        click.echo(
            f"{SHIPPED_WEIGHTS / network}.safetensors: {steps} steps, commit {card.get('git_commit', 'unknown')}"
        )
