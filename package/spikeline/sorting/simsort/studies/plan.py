"""Which trainings the studies of a run need: from the settings alone, when a run is planned.

Two variants that train a network in the same way share its weights, and share the run's own where those are the same:
a study that changes the detector alone trains no identifier.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spikeline.artifacts import seed_integer
from spikeline.config.run import RunSettings
from spikeline.config.simsort import DetectorTrainingSettings, IdentifierTrainingSettings, settings_of_job
from spikeline.config.studies import variant_training
from spikeline.errors import ConfigError
from spikeline.simulation.shards import Shard
from spikeline.sorting.simsort.training_shards import training_shards, validation_cells
from spikeline.sorting.simsort.weight_files import NETWORKS

__all__ = [
    "OWN_WEIGHTS",
    "Part",
    "Training",
    "seed_of_repeat",
    "study_parts",
    "tetrodes",
    "training_of",
    "tuned_recordings",
    "variant_settings",
]

OWN_WEIGHTS = "weights"
"""Folder of the run's own weights below ``sorting/simsort``."""

_LEAST_REST_S = 5.0
_MOST_CHANNELS = 4  # `spikeline.sorting.simsort.detector.GROUP`, which only torch's users can import


@dataclass(frozen=True)
class Training:
    """All that the weights of one network depend on.

    Parameters
    ----------
    network
        ``detector`` or ``identifier``.
    seed
        Root seed of the training.
    settings
        ``simsort.NETWORK``.
    bank_s, scenes
        As for `spikeline.sorting.simsort.train.TrainingJob`.
    entries
        Bank entries that are read.
    allowed_cells, validation_cells
        Cell models.
    """

    network: str
    seed: int
    settings: DetectorTrainingSettings | IdentifierTrainingSettings
    bank_s: float
    scenes: int | None
    entries: tuple[Shard, ...]
    allowed_cells: tuple[str, ...]
    validation_cells: tuple[str, ...]

    def params(self) -> dict[str, Any]:
        """What a rule that trains it reads, besides files."""
        return {
            "seed": self.seed,
            "training": settings_of_job(self.settings),
            "bank_s": self.bank_s,
            "scenes": self.scenes,
            "allowed_cells": list(self.allowed_cells),
            "validation_cells": list(self.validation_cells),
        }


@dataclass(frozen=True)
class Part:
    """One variant of a study, trained with one seed.

    Parameters
    ----------
    study, variant
        Names.
    repeat
        From 0.
    weights
        Network -> folder below ``sorting/simsort`` in which its weights lie.
    scored
        Folder below ``tables/simsort_studies`` in which the scores of these two networks lie.
    recordings
        What they sort.
    """

    study: str
    variant: str
    repeat: int
    weights: Mapping[str, str]
    scored: str
    recordings: tuple[str, ...]


def seed_of_repeat(seed: int, stage: str, repeat: int) -> int:
    """Root seed of a repeat; the first has the run's own, as its own training has."""
    return seed if repeat == 0 else seed_integer(seed, stage, str(repeat))


def tetrodes(settings: RunSettings) -> list[str]:
    """Recordings of the test side that are sorted and were made with a tetrode: those of studies, and of the margin."""
    names = settings.sorting.recordings or list(settings.recordings)
    return [
        name
        for name in names
        if settings.recordings[name].split == "test" and settings.recordings[name].probe.kind == "tetrode"
    ]


def variant_settings(settings: RunSettings, study: str, variant: str) -> RunSettings:
    """The run as it would be configured to train one variant for itself."""
    of_study = settings.simsort_studies[study]
    training = variant_training(settings.simsort, of_study, variant)
    without = set(of_study.variants[variant].without_cells)
    if training.validation_cells is not None:
        kept = [cell for cell in training.validation_cells if cell not in without]
        training = training.model_copy(update={"validation_cells": kept})
    cells = settings.simulation.cells
    cells = cells.model_copy(update={"train": [cell for cell in cells.train if cell not in without]})
    simulation = settings.simulation.model_copy(update={"cells": cells})
    return settings.model_copy(update={"simsort": training, "simulation": simulation})


def training_of(settings: RunSettings, network: str, *, seed: int, scenes: int | None = None) -> Training:
    """How a run trains one of its networks."""
    return Training(
        network=network,
        seed=seed,
        settings=getattr(settings.simsort, network),
        bank_s=settings.simsort.bank_s,
        scenes=scenes,
        entries=tuple(training_shards(settings)),
        allowed_cells=tuple(settings.simulation.cells.train),
        validation_cells=tuple(validation_cells(settings)),
    )


def study_parts(settings: RunSettings) -> tuple[list[Part], dict[str, Training]]:
    """Everything the studies of a run need.

    Returns
    -------
    parts
        One for each study, variant and repeat.
    trainings
        Folder below ``sorting/simsort``, then ``/NETWORK`` -> what is trained there; the run's own are not among them.

    Raises
    ------
    ConfigError
        If there is nothing to train on, or no recording to sort.
    """
    parts: list[Part] = []
    if not settings.simsort_studies:
        return parts, {}
    own = [training_of(settings, network, seed=settings.seed) for network in NETWORKS]
    homes: list[tuple[Training, str]] = [(training, OWN_WEIGHTS) for training in own]
    scored: dict[tuple[str, ...], str] = {}
    for name, study in settings.simsort_studies.items():
        recordings = _recordings(settings, study.recordings, f"simsort_studies.{name}")
        for repeat in range(study.repeats):
            seed = seed_of_repeat(settings.seed, "simsort-studies", repeat)
            for variant, treated in study.variants.items():
                folder = f"{name}/{variant}/{repeat}"
                as_if = variant_settings(settings, name, variant)
                weights = {}
                for network in NETWORKS:
                    training = training_of(as_if, network, seed=seed, scenes=treated.scenes)
                    home = next((home for known, home in homes if known == training), None)
                    if home is None:
                        home = f"studies/{folder}"
                        homes.append((training, home))
                    weights[network] = home
                # the recordings do not matter here: each has a table of its own in the folder
                where = scored.setdefault(tuple(weights.values()), folder)
                parts.append(Part(name, variant, repeat, weights, where, recordings))
    return parts, {f"{home}/{training.network}": training for training, home in homes if home != OWN_WEIGHTS}


def tuned_recordings(settings: RunSettings) -> list[str]:
    """Recordings on which networks are tuned.

    Raises
    ------
    ConfigError
        If none is left, one has no rest to score on, or more channels than the networks see at a time.
    """
    if not settings.simsort_tuning.labelled_s:
        return []
    names = _recordings(settings, settings.simsort_tuning.recordings, "simsort_tuning")
    longest = max(settings.simsort_tuning.labelled_s)
    for name in names:
        channels = settings.recordings[name].probe.n_channels()
        if channels is not None and channels > _MOST_CHANNELS:
            raise ConfigError(
                f"simsort_tuning.recordings names {name}, of {channels} channels",
                f"at most {_MOST_CHANNELS}: a group of a dense probe also hears spikes that belong to others",
                "name tetrodes",
            )
        rest_s = settings.recordings[name].duration_s - longest
        if rest_s < _LEAST_REST_S:
            raise ConfigError(
                f"simsort_tuning.labelled_s = {longest:g} leaves {rest_s:g} s of recordings.{name} to score on",
                f"at least {_LEAST_REST_S:g} s",
                "label less, or name longer recordings under simsort_tuning.recordings",
            )
    return list(names)


def _recordings(settings: RunSettings, named: list[str], key: str) -> tuple[str, ...]:
    recordings = tuple(named or tetrodes(settings))
    if not recordings:
        raise ConfigError(
            f"{key} has no recording to sort: no sorted tetrode is among the run's",
            "at least one",
            f"name recordings under {key}.recordings",
        )
    return recordings
