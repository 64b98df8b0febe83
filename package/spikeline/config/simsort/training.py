"""The training of both networks: which cells it hears, and that both see the same traces."""

from __future__ import annotations

from pydantic import model_validator

from spikeline.config.base import FiniteFloat, Settings, setting
from spikeline.config.simsort.detector import DetectorTrainingSettings
from spikeline.config.simsort.identifier import IdentifierTrainingSettings
from spikeline.config.simsort.paper import PaperTrainingSettings

__all__ = ["SimSortTrainingSettings"]


class SimSortTrainingSettings(Settings):
    """SimSort's networks, trained on the bank; the cells of the test side are never heard."""

    validation_cells: list[str] | None = setting(
        None,
        description="Cell models of the training side that are kept out of the training, to measure the loss on cells "
        "the networks have not met. null: the last of simulation.cells.train, none if it is the only one. []: none.",
    )
    entries: int | None = setting(
        None,
        description="At most this many entries of the bank are used, of as many cell models as there are: they are "
        "held in memory. null: all of the training side.",
        ge=1,
    )
    bank_s: FiniteFloat = setting(
        60.0,
        unit="s",
        description="At most this much of each entry is held in memory: a minute has 60 to 280 spikes of most cells, "
        "which stand for all it would ever fire.",
        ge=1,
        le=36000,
    )
    detector: DetectorTrainingSettings = setting(DetectorTrainingSettings(), description="Says where spikes peak.")
    identifier: IdentifierTrainingSettings = setting(
        IdentifierTrainingSettings(), description="Says which spikes are of one unit."
    )
    paper: PaperTrainingSettings = setting(
        PaperTrainingSettings(),
        description="The published networks, trained for sorters with preset: paper; beside the default's, on the same "
        "entries, so that a run can compare the two.",
    )

    @model_validator(mode="after")
    def _one_kind_of_traces(self) -> SimSortTrainingSettings:
        for key in ("sampling_rate_hz", "band_hz"):
            one, other = getattr(self.detector.scenes, key), getattr(self.identifier.scenes, key)
            if one != other:
                raise ValueError(
                    f"detector.scenes.{key} is {one} and identifier.scenes.{key} {other}: both networks see the same "
                    "traces"
                )
        return self
