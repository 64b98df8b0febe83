"""The bank's share of a training: entries read into memory, split by cell, silent ones left out."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from spikeline.artifacts import file_checksum, manifest_path, read_manifest
from spikeline.config.recordings import SpikeTrainSettings
from spikeline.errors import DataError
from spikeline.simulation.bank import BankEntry, read_bank_entry
from spikeline.simulation.recordings.events import cut_snippets

__all__ = ["FEWEST_SPIKES", "TrainingBank", "bank_checksums", "read_training_bank"]

FEWEST_SPIKES = 20
"""An entry needs this many spikes that stand alone: those of a unit are copies of them, and fewer would be no unit."""


@dataclass(frozen=True)
class TrainingBank:
    """Entries in memory.

    Parameters
    ----------
    training, validation
        Of different cell models.
    left_out
        Names of entries that hardly fire.
    """

    training: list[BankEntry]
    validation: list[BankEntry]
    left_out: list[str]

    @property
    def licences(self) -> list[str]:
        """Licences of the cells behind the entries, each once."""
        return sorted({str(entry.facts.get("licence", "unknown")) for entry in self.training + self.validation})


def bank_checksums(files: Iterable[str | Path]) -> list[str]:
    """SHA-256 of bank files, sorted; from their manifests where they have one, which reads no gigabytes."""
    return sorted(
        read_manifest(file)["sha256"] if manifest_path(file).is_file() else file_checksum(file) for file in files
    )


def read_training_bank(
    files: Iterable[str | Path], most_s: float, validation_cells: Collection[str], allowed_cells: Collection[str]
) -> TrainingBank:
    """Read entries and split them.

    Parameters
    ----------
    files
        Bank entries of the training side.
    most_s
        At most this much of each is read, s.
    validation_cells
        Cell models that are kept out of the training.
    allowed_cells
        Cell models of the training side; any other is refused.

    Raises
    ------
    DataError
        If an entry is of another cell model, or none is left to train on.
    """
    bank = TrainingBank([], [], [])
    for file in sorted(map(str, files)):
        entry = read_bank_entry(file, most_s)
        if entry.cell not in allowed_cells:
            raise DataError(
                f"{entry.name} among the entries to train on",
                f"cells of the training side only: {', '.join(sorted(allowed_cells))}",
                "sets are split by cell model; pass the right entries, or edit simulation.cells.train and test",
            )
        if (count := _spikes_alone(entry)) < FEWEST_SPIKES:
            print(f"{entry.name} left out: {count} spikes stand alone in {entry.duration_s:g} s", flush=True)
            bank.left_out.append(entry.name)
        else:
            (bank.validation if entry.cell in validation_cells else bank.training).append(entry)
    if not bank.training:
        raise DataError(
            f"no entry to train on ({len(bank.left_out)} left out, {len(bank.validation)} held out)",
            f"at least one with {FEWEST_SPIKES} spikes in {most_s:g} s",
            "raise simulation.bank.duration_s and simsort.bank_s, or simulation.stimulus.mean_rheobase",
        )
    return bank


def _spikes_alone(entry: BankEntry) -> int:
    try:
        return len(cut_snippets(entry, SpikeTrainSettings().snippet_ms).components)
    except DataError:
        return 0
