"""Settings of SimSort's studies: its training done again with something changed, and networks tuned further."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import ValidationError, model_validator

from spikeline.config.base import FiniteFloat, Settings, other_default, setting
from spikeline.config.merging import merged
from spikeline.config.problems import describe_problems
from spikeline.config.simsort import SimSortTrainingSettings
from spikeline.config.simsort.schedule import ScheduleSettings

__all__ = [
    "DetectorTuningSettings",
    "IdentifierTuningSettings",
    "StudySettings",
    "StudyVariantSettings",
    "TuningSettings",
    "study_problems",
    "variant_training",
]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


class StudyVariantSettings(Settings):
    """One way to train."""

    training: dict[str, Any] = setting(
        {},
        description="What differs from the study's training: keys as under simsort, e.g. {detector: {network: "
        "{width: 16}}}. A network of which nothing differs is not trained again.",
    )
    without_cells: list[str] = setting(
        [],
        description="Cell models of simulation.cells.train that this variant neither hears nor is validated on.",
    )
    scenes: int | None = setting(
        None,
        description="Each network sees this many different scenes over and over; null: new ones without end. The "
        "scatter of the embedding is measured in further scenes either way.",
        ge=1,
    )


class StudySettings(Settings):
    """A study: variants of the training, each scored on the same recordings."""

    figure: Literal["training_data", "held_out_classes", "ablations"] = setting(
        description="Picture it is drawn on: training_data (accuracy against the amount of simulated data), "
        "held_out_classes (accuracy by cell class), or ablations (differences from the first variant).",
        example="ablations",
    )
    amount: Literal["recording", "neurons"] = setting(
        "recording",
        description="Axis of training_data: minutes of different simulated recording, or neurons (bank entries).",
    )
    training: dict[str, Any] = setting(
        {}, description="What differs from simsort in all variants, e.g. fewer steps to afford more of them."
    )
    recordings: list[str] = setting(
        [], description="Recordings that are sorted. Empty: all sorted tetrodes of the run."
    )
    repeats: int = setting(
        1,
        description="Trainings of each variant, with other seeds. One says nothing about how much chance decides; more "
        "cost as many times as much.",
        ge=1,
        le=100,
    )
    variants: dict[str, StudyVariantSettings] = setting(
        description="Name -> what differs. The first is what the others are compared with.", min_length=1
    )


class TuningScheduleSettings(ScheduleSettings):
    """How either network is tuned."""

    steps: int = other_default(
        ScheduleSettings, "steps", 100, "Few: what is labelled is little, and soon known by heart."
    )
    warm_up_steps: int = other_default(ScheduleSettings, "warm_up_steps", 10)
    log_every_steps: int = other_default(ScheduleSettings, "log_every_steps", 10)


class DetectorTuningSettings(TuningScheduleSettings):
    """How the detector is tuned."""

    steps: int = other_default(TuningScheduleSettings, "steps", 200)
    learning_rate: FiniteFloat = other_default(
        TuningScheduleSettings, "learning_rate", 3e-4, "A tenth of the training's: the weights are good already."
    )


class IdentifierTuningSettings(TuningScheduleSettings):
    """How the identifier is tuned."""

    learning_rate: FiniteFloat = other_default(
        TuningScheduleSettings,
        "learning_rate",
        1e-5,
        "A hundredth of the training's. With a tenth, 20 s of a drifting tetrode were learnt by heart: the loss on the "
        "next 40 s rose from 0.093 to 0.106 (fell from 0.327 to 0.270 without drift); with this to 0.098 (0.283).",
    )
    weight_decay: FiniteFloat = other_default(TuningScheduleSettings, "weight_decay", 1e-3, "As in the training.")


class TuningSettings(Settings):
    """Trained networks that learn on from the first seconds of a recording whose spikes are known."""

    labelled_s: list[FiniteFloat] = setting(
        [],
        unit="s",
        description="Seconds of labelled recording, from its start, one tuning each; 0: the networks as they are. All "
        "are scored on what comes after the longest of them. Empty: no tuning.",
    )
    start: Literal["shipped", "trained"] = setting(
        "shipped", description="Networks to begin with: those that come along, or those that this run trains."
    )
    recordings: list[str] = setting(
        [], description="Recordings, of at most 4 channels. Empty: all sorted tetrodes of the run."
    )
    repeats: int = setting(1, description="Tunings with other seeds.", ge=1, le=100)
    detector: DetectorTuningSettings = setting(DetectorTuningSettings(), description="Says where spikes peak.")
    identifier: IdentifierTuningSettings = setting(
        IdentifierTuningSettings(), description="Says which spikes are of one unit."
    )
    windows: int = setting(24, description="Windows of the labelled stretch per step of the detector.", ge=1, le=10_000)
    window_samples: int = setting(512, description="Their length in samples; more than the detector sees.", ge=64)
    spikes_per_unit: int = setting(32, description="Most spikes of a unit per step of the identifier.", ge=4, le=10_000)
    scatter_spikes: int = setting(
        300,
        description="The scatter within units is measured on the labelled spikes, together with this many imaginary "
        "ones that scatter as the networks expect: a few spikes do not tell the scatter in all directions.",
        ge=0,
    )

    @model_validator(mode="after")
    def _each_once(self) -> TuningSettings:
        if len(set(self.labelled_s)) < len(self.labelled_s) or min(self.labelled_s, default=0.0) < 0:
            raise ValueError(f"labelled_s = {self.labelled_s}: seconds from 0 on, each once")
        return self


def variant_training(base: SimSortTrainingSettings, study: StudySettings, variant: str) -> SimSortTrainingSettings:
    """Settings of one variant's training.

    Parameters
    ----------
    base
        ``simsort`` of the run.
    study, variant
        The study, and the name of one of its variants.

    Raises
    ------
    pydantic.ValidationError
        If what differs does not fit; `study_problems` says so in words, when a configuration is read.
    """
    values = merged(merged(base.plain(), study.training), study.variants[variant].training)
    return SimSortTrainingSettings.parse(values)


def study_problems(
    base: SimSortTrainingSettings, studies: Mapping[str, StudySettings], train: list[str], recordings: list[str]
) -> list[str]:
    """What is wrong with studies, in words, each with its full key.

    Parameters
    ----------
    base
        ``simsort`` of the run.
    studies
        ``simsort_studies``.
    train, recordings
        Cell models of the training side, and the names of the run's recordings.
    """
    return [problem for name, study in studies.items() for problem in _problems(base, name, study, train, recordings)]


def _problems(
    base: SimSortTrainingSettings, name: str, study: StudySettings, train: list[str], recordings: list[str]
) -> Iterator[str]:
    key = f"simsort_studies.{name}"
    for part in (name, *study.variants):
        if not _NAME.fullmatch(part):
            yield f"{key}: {part!r} becomes part of a path: use letters, digits, '_' and '-'"
    if foreign := sorted(set(study.recordings) - set(recordings)):
        yield f"{key}.recordings names {', '.join(foreign)}; recordings has {', '.join(recordings) or 'none'}"
    for variant, settings in study.variants.items():
        own = f"{key}.variants.{variant}"
        try:
            variant_training(base, study, variant)
        except ValidationError as error:
            in_study = _fails(base, study)
            where = f"{key}.training" if in_study else f"{own}.training"
            yield from (f"{where}.{problem}" for problem in describe_problems(error, SimSortTrainingSettings, {}))
            if in_study:
                return
        if foreign := sorted(set(settings.without_cells) - set(train)):
            yield (
                f"{own}.without_cells names {', '.join(foreign)}; simulation.cells.train has "
                f"{', '.join(train) or 'none'}"
            )
        elif train and set(train) <= set(settings.without_cells):
            yield f"{own}.without_cells holds all of simulation.cells.train: none is left to train on"


def _fails(base: SimSortTrainingSettings, study: StudySettings) -> bool:
    try:
        SimSortTrainingSettings.parse(merged(base.plain(), study.training))
    except ValidationError:
        return True
    return False
