"""Train SimSort's networks, and make a run's weights those that come along."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spikeline.cli.options import output_option

if TYPE_CHECKING:
    from spikeline.config.queue import QueueSettings
    from spikeline.config.run import RunSettings

__all__ = ["ship_weights", "train", "train_from_plain"]


@click.command()
@click.argument("config_file", metavar="CONFIG", type=click.Path(path_type=Path))
@click.argument("network", type=click.Choice(["detector", "identifier"]))
@click.option(
    "--bank",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder of bank entries, CELL/VARIANT-SEED.h5 each, e.g. results/quick/simulation/currents.",
)
@click.option(
    "--preset",
    type=click.Choice(["default", "paper"]),
    default="default",
    show_default=True,
    help="paper: the published network, as simsort.paper.NETWORK of CONFIG says.",
)
@click.option("--threads", default=1, show_default=True, help="Batches made at the same time; changes no result.")
@click.option(
    "--submit",
    metavar="YAML",
    help="Train in a job of SLURM, which goes back into the queue when its time is up; this command waits for it. "
    "What the job asks for, e.g. '{partition: gpu, gpus: 1, minutes: 240, cpus: 4}'; '{}' for the defaults.",
)
@click.option("--log", type=click.Path(path_type=Path), help="CSV file for the losses; beside the weights by default.")
@output_option("File for the weights (.safetensors); their card goes beside it.")
def train(
    config_file: Path,
    network: str,
    bank: Path,
    preset: str,
    threads: int,
    submit: str | None,
    log: Path | None,
    output: Path,
) -> None:
    """Train a NETWORK of SimSort on the training side of the bank, as simsort.NETWORK of CONFIG says.

    A killed run goes on from its last checkpoint.

    \b
    Example:
      spikeline train config/quick.yaml detector --bank results/quick/simulation/currents -o my/detector.safetensors
    """
    from spikeline.artifacts import config_hash
    from spikeline.config.load import load_run

    settings = load_run(config_file)
    wanted = _wanted(settings, network, preset)
    arguments = {
        "values": settings.plain(),
        "network": network,
        "preset": preset,
        "bank": str(bank.absolute()),
        "threads": threads,
        "log": str((log or output.with_suffix(".csv")).absolute()),
        "output": str(output.absolute()),
    }
    if submit is None:
        train_from_plain(**arguments)
    else:
        from spikeline.training.launcher import run_in_queue

        queue, key = _queue(submit), config_hash(arguments)
        run_in_queue(train_from_plain, arguments, output.absolute(), queue, name=f"simsort-{network}", key=key)
    click.echo(f"{output}: {wanted.training.steps} steps")


def train_from_plain(
    values: dict[str, Any], network: str, preset: str, bank: str, threads: int, log: str, output: str
) -> None:
    """What `train` does, here or in a job of a queue: everything it needs is in its arguments, as plain values."""
    from spikeline.artifacts import Provenance
    from spikeline.config.load import parse_run
    from spikeline.sorting.simsort.train import TrainingJob
    from spikeline.sorting.simsort.training_shards import training_shards, validation_cells

    settings = parse_run(values)
    files = [Path(bank) / f"{shard.name}.h5" for shard in training_shards(settings)]
    wanted = _wanted(settings, network, preset)
    job = TrainingJob(
        bank_files=files,
        output=Path(output),
        log_csv=log,
        seed=settings.seed,
        allowed_cells=settings.simulation.cells.train,
        validation_cells=validation_cells(settings),
        bank_s=settings.simsort.bank_s,
        batch_threads=threads,
        provenance=Provenance({"training": wanted.plain()}, settings.seed, files, bank),
    )
    _function(network, preset)(wanted, job)


def _wanted(settings: RunSettings, network: str, preset: str) -> Any:
    return getattr(settings.simsort if preset == "default" else settings.simsort.paper, network)


def _queue(text: str) -> QueueSettings:
    from pydantic import ValidationError

    from spikeline.config.problems import describe_problems
    from spikeline.config.queue import QueueSettings
    from spikeline.config.yaml_text import parse_yaml
    from spikeline.errors import ConfigError

    values, positions = parse_yaml(text, "--submit")
    try:
        return QueueSettings.parse(values)
    except ValidationError as error:
        problems = "; ".join(describe_problems(error, QueueSettings, positions))
        raise ConfigError(
            f"--submit: {problems}",
            "keys of " + ", ".join(QueueSettings.model_fields),
            "correct it, e.g. --submit '{partition: gpu, gpus: 1, minutes: 240}'",
        ) from None


def _function(network: str, preset: str) -> Callable[..., None]:
    if preset == "paper":
        from spikeline.sorting.simsort.paper import train

        return {"detector": train.train_paper_detector_to_file, "identifier": train.train_paper_identifier_to_file}[
            network
        ]
    from spikeline.sorting.simsort.train import train_detector_to_file, train_identifier_to_file

    return {"detector": train_detector_to_file, "identifier": train_identifier_to_file}[network]


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
