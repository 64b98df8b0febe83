"""Sort and score."""

from __future__ import annotations

from pathlib import Path

import click

from spikeline.cli.options import output_option
from spikeline.errors import ConfigError

__all__ = ["score", "sort_command"]


@click.command("sort")
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
@output_option("HDF5 file for the sorting.")
def sort_command(recording: Path, sorter: str, parameters: str, seed: int, threads: int, output: Path) -> None:
    """Sort a RECORDING with a SORTER of SpikeInterface.

    RECORDING is a folder made by `spikeline record`, or by SpikeInterface's recording.save (binary or zarr, one
    segment, with a probe).

    \b
    Example:
      spikeline sort results/quick/recordings/tetrode_static simple -o my/simple.h5
      spikeline sort my/recording.zarr simple -o my/simple.h5
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


@click.command()
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
