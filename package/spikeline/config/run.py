"""The root of a run's configuration."""

from __future__ import annotations

from pydantic import model_validator

from spikeline.config.base import Settings, setting
from spikeline.config.recordings import RecordingSettings
from spikeline.config.simulation import SimulationSettings
from spikeline.config.sorting import SortingSettings

__all__ = ["RunSettings"]


class RunSettings(Settings):
    """Everything a run depends on."""

    run: str = setting(
        description="Name of the run; everything it makes lies under results/{run}.",
        example="reference",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$",
    )
    seed: int = setting(42, description="Root of every random stream.", ge=0, lt=2**31)
    data_root: str | None = setting(
        None,
        description="Folder of external data sets (datasets.yaml gives paths below it); null: stages that need it "
        "are left out.",
    )
    simulation: SimulationSettings = setting(description="From cells to the bank of membrane currents.")
    recordings: dict[str, RecordingSettings] = setting({}, description="Synthetic recordings by name.")
    sorting: SortingSettings = setting(SortingSettings(), description="Sort and score.")

    @model_validator(mode="after")
    def _names_resolve(self) -> RunSettings:
        unknown = sorted(set(self.sorting.recordings) - set(self.recordings))
        if unknown:
            raise ValueError(
                f"sorting.recordings names {', '.join(unknown)}; recordings has {', '.join(self.recordings) or 'none'}"
            )
        for name in [*self.recordings, *self.sorting.sorters]:
            if not name.replace("_", "").replace("-", "").isalnum():
                raise ValueError(f"{name!r} becomes part of a path: use letters, digits, '_' and '-'")
        return self
