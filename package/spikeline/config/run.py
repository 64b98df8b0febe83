"""The root of a run's configuration."""

from __future__ import annotations

import re

from pydantic import model_validator

from spikeline.config.base import Settings, setting
from spikeline.config.molds import MoldsSettings
from spikeline.config.recordings import RecordingSettings
from spikeline.config.simsort import SimSortTrainingSettings
from spikeline.config.simulation import SimulationSettings
from spikeline.config.sorting import SortingSettings
from spikeline.config.studies import StudySettings, TuningSettings, study_problems

__all__ = ["RunSettings"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


class RunSettings(Settings):
    """Everything a run depends on."""

    run: str = setting(
        description="Name of the run; everything it makes lies under results/{run}.",
        example="reference",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$",
    )
    seed: int = setting(
        42, description="Root of every random stream. Any number will do; 42 is SimSort's.", ge=0, lt=2**31
    )
    data_root: str | None = setting(
        None,
        description="Folder of external data sets (datasets.yaml gives paths below it). null by default, because "
        "spikeline comes without them: stages that need it are left out.",
    )
    simulation: SimulationSettings = setting(description="From cells to the bank of membrane currents.")
    recordings: dict[str, RecordingSettings] = setting({}, description="Synthetic recordings by name.")
    simsort: SimSortTrainingSettings = setting(
        SimSortTrainingSettings(), description="Training of SimSort's two networks."
    )
    simsort_studies: dict[str, StudySettings] = setting(
        {},
        description="Studies of SimSort's training by name: what becomes of the sorting if something about the "
        "training is changed. Made by targets of their own (simsort_studies), never by a plain run.",
    )
    simsort_tuning: TuningSettings = setting(
        TuningSettings(), description="SimSort's networks tuned on a little of a recording (target fine_tuning)."
    )
    sorting: SortingSettings = setting(SortingSettings(), description="Sort and score.")
    molds: MoldsSettings = setting(MoldsSettings(), description="Mixtures of linear dynamical systems.")

    @model_validator(mode="after")
    def _names_resolve(self) -> RunSettings:
        unknown = sorted(set(self.sorting.recordings) - set(self.recordings))
        if unknown:
            raise ValueError(
                f"sorting.recordings names {', '.join(unknown)}; recordings has {', '.join(self.recordings) or 'none'}"
            )
        for name in [*self.recordings, *self.sorting.sorters]:
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name!r} becomes part of a path: use letters, digits, '_' and '-'")
        return self

    @model_validator(mode="after")
    def _bank_is_long_enough(self) -> RunSettings:
        length_s = self.simulation.bank.duration_s
        for name, recording in self.recordings.items():
            if recording.drive == "continuous" and recording.duration_s > length_s:
                raise ValueError(
                    f"recordings.{name}.duration_s = {recording.duration_s:g} s, and an entry of the bank lasts "
                    f"simulation.bank.duration_s = {length_s:g} s: a recording with drive continuous is no longer than "
                    "that; shorten it, lengthen the bank, or set drive: events"
                )
        return self

    @model_validator(mode="after")
    def _validation_cells_are_training_cells(self) -> RunSettings:
        train, held_out = self.simulation.cells.train, self.simsort.validation_cells or []
        if foreign := sorted(set(held_out) - set(train)):
            raise ValueError(
                f"simsort.validation_cells names {', '.join(foreign)}; simulation.cells.train has "
                f"{', '.join(train) or 'none'}"
            )
        if train and set(train) == set(held_out):
            raise ValueError("simsort.validation_cells holds all of simulation.cells.train: none is left to train on")
        return self

    @model_validator(mode="after")
    def _studies_can_be_made(self) -> RunSettings:
        names = list(self.recordings)
        problems = study_problems(self.simsort, self.simsort_studies, self.simulation.cells.train, names)
        tuning = self.simsort_tuning
        if foreign := sorted(set(tuning.recordings) - set(names)):
            problems.append(f"simsort_tuning.recordings names {', '.join(foreign)}; recordings has {', '.join(names)}")
        if problems:
            raise ValueError("\n  - ".join(problems))
        return self
