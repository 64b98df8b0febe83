"""Sort and score."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spikeline.errors import ConfigError, DataError

if TYPE_CHECKING:
    from spikeline.config.sorting import SorterSettings

__all__ = ["score", "sort_command"]

_OURS = "simsort"


@click.command("sort")
@click.argument("recording", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--sorter", default=_OURS, show_default=True, help="simsort, or a sorter of SpikeInterface.")
@click.option(
    "--parameters",
    default="{}",
    show_default=True,
    help="Parameters of the sorter as YAML, e.g. '{apply_preprocessing: false}'.",
)
@click.option("--weights", type=click.Path(path_type=Path), help="simsort: a folder with networks of your own.")
@click.option(
    "--device", type=click.Choice(["auto", "cpu", "cuda"]), help="simsort: where its networks run; auto unless given."
)
@click.option(
    "--progress/--no-progress", default=None, help="simsort: show how far it is; on a terminal unless told otherwise."
)
@click.option("--seed", default=42, show_default=True, help="Root seed.")
@click.option("--threads", default=1, show_default=True, help="Worker threads.")
@click.option("--reader", help="SpikeInterface's reader of the format, if the file's extension leaves it open.")
@click.option("--stream", help="Name or id of the stream, in files that hold several.")
@click.option(
    "--probe",
    type=click.Path(path_type=Path),
    help="JSON file of probeinterface with the wired probe, for files without one.",
)
@click.option(
    "--export", "exports", multiple=True, type=click.Choice(["phy", "nwb"]), help="Write this too; repeatable."
)
@click.option(
    "--session-start", type=click.DateTime(), help="When the recording began, for NWB; 1970-01-01 stands for unknown."
)
def sort_command(
    recording: Path,
    out: Path,
    sorter: str,
    parameters: str,
    weights: Path | None,
    device: str | None,
    progress: bool | None,
    seed: int,
    threads: int,
    reader: str | None,
    stream: str | None,
    probe: Path | None,
    exports: tuple[str, ...],
    session_start: datetime | None,
) -> None:
    """Sort a RECORDING into the folder OUT.

    RECORDING is a folder made by `spikeline record` or by SpikeInterface's recording.save, or files that SpikeInterface
    reads: NWB, Intan, SpikeGLX, Open Ephys, Blackrock, Neuralynx, MDA and many more, told apart by their extensions. It
    has one segment, lasts 1 s at least, and has a probe; simsort does without for four channels or fewer.

    OUT gets sorting.h5 (`spikeline score` reads it), with --export phy the folder phy (phy template-gui
    OUT/phy/params.py), with --export nwb the file sorting.nwb. Exports of a sorting that was in OUT before are removed,
    whatever was edited in them: to keep a curation, sort into another folder.

    \b
    Example:
      spikeline sort my/recording.zarr my/sorted
      spikeline sort my/run_g0 my/sorted --stream imec0.ap --threads 8 --export phy
      spikeline sort results/quick/recordings/tetrode_static my/simple --sorter simple
    """
    from spikeline.sorting.by_hand import SORTING_FILE, open_any_recording, sort_to_folder
    from spikeline.sorting.simsort.recording_checks import with_contacts

    settings = _sorter_settings(sorter, parameters, weights, device, progress)
    opened = open_any_recording(recording, reader, stream, probe)
    if settings.sorter == _OURS:
        opened = with_contacts(opened)
    if not opened.has_probe():
        raise DataError(
            f"{recording} has no probe, and {opened.get_num_channels()} channels",
            "contact positions, which sorters need",
            "give its probe, wired: --probe FILE, JSON of probeinterface",
        )
    sorting = sort_to_folder(
        opened, recording.name, out, settings,
        seed=seed, threads=threads, exports=exports, session_start=session_start,
    )  # fmt: skip
    n_units, n_spikes = len(sorting.unit_ids), len(sorting.to_spike_vector())
    found = f"{n_units} {'unit' if n_units == 1 else 'units'}, {n_spikes} {'spike' if n_spikes == 1 else 'spikes'}"
    note = sorting.get_annotation("note")
    unwritten = f"; not exported to {' or '.join(dict.fromkeys(exports))}" if exports and not n_units else ""
    click.echo(f"{out / SORTING_FILE}: {found}{f' ({note})' if note else ''}{unwritten}")


def _sorter_settings(
    sorter: str, parameters: str, weights: Path | None, device: str | None, progress: bool | None
) -> SorterSettings:
    """The options as parameters of the sorter; those of simsort are refused with another."""
    from spikeline.config.sorting import SorterSettings
    from spikeline.config.yaml_text import parse_yaml

    values, _ = parse_yaml(parameters, "--parameters")
    if not isinstance(values, dict):
        raise ConfigError(
            f"--parameters holds {values!r}", "names with values, e.g. '{detect_threshold: 5}'", "write a block"
        )
    given: dict[str, Any] = {
        "weights": None if weights is None else str(weights.absolute()),
        "device": device,
        "progress_bar": progress,
    }
    given = {name: value for name, value in given.items() if value is not None}
    if sorter != _OURS:
        if given:
            option = {"progress_bar": "progress"}.get(next(iter(given)), next(iter(given)))
            raise ConfigError(f"--{option} with the sorter {sorter!r}", f"--sorter {_OURS}", f"leave --{option} out")
        return SorterSettings(sorter=sorter, parameters=values)
    return SorterSettings(sorter=sorter, parameters={"progress_bar": sys.stderr.isatty(), **values, **given})


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
      spikeline score results/quick/recordings/tetrode_static simple=my/simple/sorting.h5 \\
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
                "NAME=FILE, e.g. simple=my/simple/sorting.h5",
                "put a name for the tables before the file",
            )
        named[name] = Path(path)
    settings = load_run(config_file).sorting if config_file is not None else SortingSettings()
    score_to_files(recording, named, scores, counts, settings.scoring, settings.filter_hz)
    click.echo(f"{scores}: {len(read_csv(scores))} rows")
