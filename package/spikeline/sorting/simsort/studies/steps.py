"""What the rules of the studies call: from weights and a recording to scores, from scores to a study's table."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from spikeline.artifacts import Provenance, read_csv, read_weights, scratch_beside, write_csv
from spikeline.artifacts.weights import card_path
from spikeline.config.sorting import ScoringSettings, SorterSettings
from spikeline.sorting.simsort.weight_files import NETWORKS, SHIPPED_WEIGHTS, with_trained_weights

__all__ = [
    "clustering_table_to_file",
    "gathered",
    "heard_minutes",
    "join_parts",
    "made_or_shipped",
    "score_networks_to_file",
]


def heard_minutes(card: Mapping[str, Any]) -> float:
    """Minutes of different simulated recording that a network was trained on, from its card."""
    trained_on = card["trained_on"]
    batches = trained_on["batches"]
    newest = (trained_on["training"]["steps"] - 1) * batches["scenes_per_batch"] // batches["steps_per_scene"]
    seen = newest + batches["scenes_per_batch"]
    return min(seen, trained_on.get("different_scenes", seen)) * trained_on["scenes"]["duration_s"] / 60


def made_or_shipped(files: Mapping[str, Any]) -> dict[str, Path]:
    """Weights of both networks among a job's input files; where there are none, those that come along."""
    return {network: Path(str(files[network] or SHIPPED_WEIGHTS / f"{network}.safetensors")) for network in NETWORKS}


@contextmanager
def gathered(weights: Mapping[str, str | Path]) -> Iterator[Path]:
    """A folder with both networks and their cards, copied from where they lie, that is gone afterwards.

    Parameters
    ----------
    weights
        Network -> file.
    """
    with tempfile.TemporaryDirectory(prefix="spikeline-weights-") as folder:
        for network in NETWORKS:
            source = Path(weights[network])
            shutil.copyfile(source, Path(folder) / f"{network}.safetensors")
            shutil.copyfile(card_path(source), card_path(Path(folder) / f"{network}.safetensors"))
        yield Path(folder)


def score_networks_to_file(
    recording_folder: str | Path,
    weights: Mapping[str, str | Path],
    output: str | Path,
    sorter: SorterSettings,
    scoring: ScoringSettings,
    filter_hz: tuple[float, float],
    *,
    seed: int,
    start_s: float = 0.0,
    threads: int = 1,
    provenance: Provenance | None = None,
) -> None:
    """Write the scores of two networks on one recording.

    Parameters
    ----------
    recording_folder
        Written by `spikeline.simulation.recordings.write_recording`; its name is the recording's.
    weights
        Network -> file.
    output
        Table of `scoring.score_networks`, with ``minutes`` of simulated recording that both networks together were
        trained on, and ``neurons`` (entries of the bank) that the detector heard.
    sorter, scoring, filter_hz, seed, start_s, threads
        See `scoring.score_networks`.
    provenance
        For the manifest.
    """
    from spikeline.simulation.recordings.recording import read_recording
    from spikeline.sorting.simsort.studies.scoring import score_networks
    from spikeline.training.reproducible import reproducible

    cards = [read_weights(weights[network])[1] for network in NETWORKS]
    with (
        gathered(weights) as folder,
        scratch_beside(output) as scratch,
        reproducible(threads, on_cpu=True),
    ):
        scores = score_networks(
            read_recording(recording_folder),
            folder,
            sorter,
            scoring,
            filter_hz,
            name=Path(recording_folder).name,
            seed=seed,
            start_s=start_s,
            threads=threads,
            folder=scratch,
        )
    known = {
        "minutes": sum(map(heard_minutes, cards)),
        "neurons": len(cards[0]["trained_on"]["bank"]["training"]),
    }
    write_csv(output, scores.assign(**known), schema="study-scores", provenance=provenance)


def join_parts(parts: Sequence[Mapping[str, Any]], output: str | Path, *, provenance: Provenance | None = None) -> None:
    """Write one table of many, each with facts about it in front.

    Parameters
    ----------
    parts
        ``path`` of a table, and further names and values: its facts.
    output
        Where the table goes.
    provenance
        For the manifest.
    """
    import pandas as pd

    tables = []
    for part in parts:
        table = read_csv(part["path"])
        for place, (name, value) in enumerate((key, value) for key, value in part.items() if key != "path"):
            table.insert(place, name, value)
        tables.append(table)
    write_csv(output, pd.concat(tables, ignore_index=True), schema="study", provenance=provenance)


def clustering_table_to_file(
    recording_folder: str | Path,
    output: str | Path,
    sorter: SorterSettings,
    scoring: ScoringSettings,
    filter_hz: tuple[float, float],
    *,
    seed: int,
    trained_weights: str | Path | None = None,
    threads: int = 1,
    provenance: Provenance | None = None,
) -> None:
    """Write `clusterings.clustering_table` of one recording.

    Parameters
    ----------
    recording_folder
        Written by `spikeline.simulation.recordings.write_recording`; its name is the recording's.
    output
        The table.
    sorter
        SimSort, whose weights are looked at.
    scoring, filter_hz
        As sortings are scored.
    seed
        The run's.
    trained_weights
        Folder of the weights that ``parameters: {weights: trained}`` stands for.
    threads
        Part of what makes the same table to the byte.
    provenance
        For the manifest.
    """
    from spikeline.simulation.recordings.recording import read_recording
    from spikeline.sorting.simsort.evaluation.network_view import network_view
    from spikeline.sorting.simsort.evaluation.truth import true_spikes
    from spikeline.sorting.simsort.networks import load_networks
    from spikeline.sorting.simsort.studies.clusterings import clustering_table
    from spikeline.training.reproducible import reproducible

    made = read_recording(recording_folder)
    networks = load_networks(with_trained_weights(sorter, trained_weights).parameters.get("weights"), "cpu")
    with reproducible(threads, on_cpu=True):
        table = clustering_table(
            network_view(made.recording, networks, threads=threads),
            true_spikes(made.recording, made.sorting, filter_hz, scoring.true_time),
            networks,
            name=Path(recording_folder).name,
            seed=seed,
        )
    write_csv(output, table, schema="clusterings", provenance=provenance)
