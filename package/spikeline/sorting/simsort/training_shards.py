"""Which entries of the bank the networks are trained on: from the settings alone, when a run is planned."""

from __future__ import annotations

from spikeline.artifacts import seed_stream
from spikeline.config.run import RunSettings
from spikeline.errors import ConfigError
from spikeline.simulation.shards import Shard, bank_shards

__all__ = ["training_shards", "validation_cells"]


def validation_cells(settings: RunSettings) -> list[str]:
    """Cell models of the training side that are kept out of the training."""
    if settings.simsort.validation_cells is not None:
        return settings.simsort.validation_cells
    train = settings.simulation.cells.train
    return train[-1:] if len(train) > 1 else []


def training_shards(settings: RunSettings) -> list[Shard]:
    """Entries to train and validate on: all of the training side, or `simsort.entries` of them.

    A selection takes one entry of every cell model before a second of any, those held out for validation among them.

    Raises
    ------
    ConfigError
        If the training side is empty, or the selection leaves out all cells to train on.
    """
    shards = bank_shards(settings.simulation, "train")
    if not shards:
        raise ConfigError(
            "simulation.cells.train is empty, so there is nothing to train SimSort's networks on",
            "at least one cell model",
            "move cells from test to train, or take weights: trained out of sorting.sorters",
        )
    most = settings.simsort.entries
    if most is None or most >= len(shards):
        return shards
    held_out = validation_cells(settings)
    stream = seed_stream(settings.seed, "simsort-entries")
    by_cell: dict[str, list[Shard]] = {}
    for index in stream.permutation(len(shards)):
        by_cell.setdefault(shards[index].cell, []).append(shards[index])
    cells = sorted(by_cell, key=lambda cell: cell in held_out)  # cells to train on first, if there is not one for each
    rounds = range(max(map(len, by_cell.values())))
    chosen = [by_cell[cell][turn] for turn in rounds for cell in cells if turn < len(by_cell[cell])][:most]
    return [shard for shard in shards if shard in set(chosen)]
