"""The shard table: which bank entries there are, and which of them each recording is made of.

Computed from the settings alone when the DAG is built: a recording depends on exactly the entries it uses, on no other.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from spikeline.artifacts import seed_stream
from spikeline.config import RunSettings, SimulationSettings
from spikeline.errors import ConfigError

__all__ = ["Cast", "Shard", "bank_shards", "cast_of_recording", "variant_names"]


class Shard(NamedTuple):
    """One bank entry: cell model, variant and stimulus seed."""

    cell: str
    variant: str
    seed: int

    @property
    def name(self) -> str:
        """``cell/variant-seed``, its path below ``simulation/currents`` without the suffix."""
        return f"{self.cell}/{self.variant}-{self.seed}"


class Cast(NamedTuple):
    """The entries a recording is made of."""

    units: list[Shard]
    background: list[Shard]


def variant_names(simulation: SimulationSettings) -> list[str]:
    """v000 (the model as published), v001, ..."""
    return [f"v{index:03d}" for index in range(simulation.cells.variants.count)]


def bank_shards(simulation: SimulationSettings, split: Literal["train", "test"] | None = None) -> list[Shard]:
    """Every entry of the bank, or of one side of the split by cell model."""
    cells = simulation.cells.names if split is None else getattr(simulation.cells, split)
    return [
        Shard(cell, variant, seed)
        for cell in cells
        for variant in variant_names(simulation)
        for seed in range(simulation.bank.seeds)
    ]


def cast_of_recording(settings: RunSettings, recording: str) -> Cast:
    """Draw the entries of one recording: no two units from one entry, and units from as many cell models as there are.

    Background units come from the entries left over, then from the units' own entries: they lie far away and are heard
    at other times, so that sharing an entry leaves no common spikes.

    Raises
    ------
    ConfigError
        If the split has fewer entries than the recording has units.
    """
    wanted = settings.recordings[recording]
    shards = bank_shards(settings.simulation, wanted.split)
    if wanted.units > len(shards):
        cells, bank = settings.simulation.cells, settings.simulation.bank
        product = f"{len(getattr(cells, wanted.split))} cells x {cells.variants.count} variants x {bank.seeds} seeds"
        raise ConfigError(
            f"recordings.{recording}.units = {wanted.units}, but the {wanted.split} side of the bank has {len(shards)} "
            f"entries ({product})",
            "at least as many entries as units, because an entry stands in a recording once",
            f"raise simulation.cells.variants.count or simulation.bank.seeds, or lower recordings.{recording}.units",
        )
    stream = seed_stream(settings.seed, "cast", recording)
    by_cell: dict[str, list[Shard]] = {}
    for index in stream.permutation(len(shards)):
        by_cell.setdefault(shards[index].cell, []).append(shards[index])
    # One entry of every cell model before a second of any: shards come out cell by cell, round after round.
    order = [
        entries[turn]
        for turn in range(max(map(len, by_cell.values())))
        for entries in by_cell.values()
        if turn < len(entries)
    ]
    units, spare = order[: wanted.units], order[wanted.units :]
    return Cast(units, (spare + units)[: wanted.noise.background_units])
