"""Train a network on the bank: from files of membrane currents to a file of weights with its card."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikeline.artifacts import Provenance, config_hash
from spikeline.config.simsort import DetectorTrainingSettings, IdentifierTrainingSettings, settings_of_job
from spikeline.simulation.bank import BankEntry
from spikeline.sorting.simsort.fit_to_file import FitJob, deciding, fit_to_file
from spikeline.sorting.simsort.sorter_parameters import DEFAULT_PRESET
from spikeline.sorting.simsort.training_bank import TrainingBank, bank_checksums, read_training_bank

if TYPE_CHECKING:
    from lightning.pytorch import LightningModule
    from torch import nn

    from spikeline.sorting.simsort.identifier_training import IdentifierTraining
    from spikeline.training import Batches

__all__ = ["Network", "TrainingJob", "train_detector_to_file", "train_identifier_to_file", "train_network"]

_STEP_VERSION = 2  # of what a checkpoint belongs to: raised when one of older code must not be gone on from
_VALIDATION_BATCHES = 4


@dataclass(frozen=True)
class TrainingJob:
    """From which files to which.

    Parameters
    ----------
    bank_files
        Bank entries of the training side; those that hardly fire are left out.
    output
        Weights (``.safetensors``); the card goes beside them.
    log_csv
        Losses: one row per set (training or validation), step and metric.
    seed
        The run's root seed.
    allowed_cells
        Cell models of the training side; an entry of any other is refused.
    validation_cells
        Those kept out of the training; what is measured on them is in the log and on the card.
    bank_s
        At most this much of each entry is held in memory, s.
    scenes
        Only so many different scenes are trained on, over and over; None: new ones without end.
    threads
        Of torch; they are part of what makes the bytes the same.
    batch_threads
        Batches that are made at the same time, ahead of the network. Changes no result.
    provenance
        For the manifests.
    """

    bank_files: Sequence[str | Path]
    output: str | Path
    log_csv: str | Path
    seed: int
    allowed_cells: Collection[str]
    validation_cells: Collection[str] = ()
    bank_s: float = 60.0
    scenes: int | None = None
    threads: int = 1
    batch_threads: int = 1
    provenance: Provenance | None = None

    @classmethod
    def of_job(cls, job: Any, how: Mapping[str, Any] | None = None) -> TrainingJob:
        """Of one Snakemake job; ``how`` holds seed, cells, bank and scenes if its params do not."""
        how = dict(job.params.items()) if how is None else how
        return cls(
            bank_files=job.input,
            output=job.output.weights,
            log_csv=job.output.log,
            seed=how["seed"],
            allowed_cells=how["allowed_cells"],
            validation_cells=how["validation_cells"],
            bank_s=how["bank_s"],
            scenes=how.get("scenes"),
            threads=job.params.torch_threads,
            batch_threads=job.threads,
            provenance=Provenance.of_job(job),
        )


def train_detector_to_file(settings: DetectorTrainingSettings, job: TrainingJob) -> None:
    """Train the detector and write its weights.

    A killed call leaves its checkpoints in a hidden folder beside ``job.output``, keyed by everything the weights
    depend on; the next call with the same arguments goes on there and ends, on a CPU, in the same bytes.

    Parameters
    ----------
    settings
        Scenes, network, batches and training.
    job
        Files, cells and threads.

    Raises
    ------
    DataError
        If an entry is of a cell model that is not allowed, or none is left to train on.
    NumericalError
        If a loss or weight is not finite.
    """
    from spikeline.sorting.simsort.detection_batches import DetectionBatches
    from spikeline.sorting.simsort.detector import Detector
    from spikeline.sorting.simsort.detector_training import DetectorTraining

    network = Network(
        name="detector",
        settings=settings,
        make=lambda: DetectorTraining(Detector(**settings.network.plain())),
        weights=lambda module: module.detector,
        batches=lambda scenes: DetectionBatches(scenes, **dict(settings.batches)),
        finish=lambda module, source: None,
    )
    train_network(network, job)


def train_identifier_to_file(settings: IdentifierTrainingSettings, job: TrainingJob) -> None:
    """Train the identifier, measure the scatter of its points within units, and write its weights.

    Otherwise as `train_detector_to_file`.
    """
    from spikeline.sorting.simsort.detector import GROUP
    from spikeline.sorting.simsort.identification_batches import IdentificationBatches
    from spikeline.sorting.simsort.identifier import Identifier
    from spikeline.sorting.simsort.identifier_training import IdentifierTraining

    def settle(module: IdentifierTraining, unseen: IdentificationBatches) -> None:
        # Batches steps_per_scene apart share no scene, and those from here on none with the training.
        apart = settings.batches.steps_per_scene
        first = settings.training.steps + apart
        for channels in range(1, GROUP + 1):
            seen = unseen.seen_on(channels)
            module.settle(channels, [seen.batch(first + apart * index) for index in range(settings.settling_batches)])

    network = Network(
        name="identifier",
        settings=settings,
        make=lambda: IdentifierTraining(Identifier(**settings.network.plain())),
        weights=lambda module: module.identifier,
        batches=lambda scenes: IdentificationBatches(scenes, **dict(settings.batches)),
        finish=settle,
    )
    train_network(network, job)


@dataclass(frozen=True)
class Network:
    """What differs between the trainings.

    Parameters
    ----------
    name
        ``detector`` or ``identifier``.
    settings
        With the blocks ``scenes``, ``network``, ``batches`` and ``training``.
    make
        Gives the module.
    weights
        The part of it that is written.
    batches
        Makes batches of scenes.
    finish
        Called with the fitted module and batches of scenes it has not seen.
    preset
        Which sorting the network is for; on the card, so that networks of two presets are not mixed.
    scenes
        Makes the scenes, called as `TrainingScenes` is; None: that.
    """

    name: str
    settings: Any
    make: Callable[[], LightningModule]
    weights: Callable[[Any], nn.Module]
    batches: Callable[[Any], Batches]
    finish: Callable[[Any, Any], None]
    preset: str = DEFAULT_PRESET
    scenes: Callable[..., Any] | None = None

    @property
    def stage(self) -> str:
        return f"simsort-{self.name}" if self.preset == DEFAULT_PRESET else f"simsort-{self.preset}-{self.name}"


def train_network(network: Network, job: TrainingJob) -> None:
    """Train a network of either preset and write its weights; see `train_detector_to_file`."""
    from spikeline.blas import one_blas_thread
    from spikeline.training.reproducible import reproducible

    bank = read_training_bank(job.bank_files, job.bank_s, job.validation_cells, job.allowed_cells)
    trained_on = {**settings_of_job(network.settings), "bank": _description(bank, job)}
    if job.scenes is not None:
        trained_on["different_scenes"] = job.scenes
    heard = set(job.allowed_cells) - set(job.validation_cells)

    def source(scenes: int | None = None) -> Batches:
        return _batches(network, bank.training, job, network.stage, heard, scenes)

    with one_blas_thread():
        with reproducible(job.threads, on_cpu=False):
            validation = _validation(network, bank, job)
        fit_to_file(
            network.stage,
            network.make,
            source(job.scenes),
            network.settings.training,
            FitJob(
                Path(job.output),
                job.log_csv,
                _key(trained_on, job),
                job.seed,
                threads=job.threads,
                batch_threads=job.batch_threads,
                provenance=job.provenance,
            ),
            network=network.name,
            weights=network.weights,
            card=_card(network, trained_on, bank),
            validation=validation,
            finish=lambda module, seen: network.finish(module, seen if job.scenes is None else source()),
        )


def _batches(
    network: Network,
    entries: Sequence[BankEntry],
    job: TrainingJob,
    stage: str,
    cells: Collection[str],
    scenes: int | None = None,
) -> Batches:
    from spikeline.sorting.simsort.scene_device import scene_device
    from spikeline.sorting.simsort.scene_pool import ScenePool
    from spikeline.sorting.simsort.training_scenes import TrainingScenes

    settings = network.settings
    keep = 2 * settings.batches.scenes_per_batch  # those of this step, and of the steps that are made ahead
    arguments = entries, settings.scenes, job.seed
    options = {"stage": stage, "allowed_cells": cells, "keep": keep}
    if network.scenes is not None:
        return network.batches(network.scenes(*arguments, **options))
    options["device"] = scene_device(settings.scenes.accelerator, settings.training.accelerator)
    return network.batches(
        TrainingScenes(*arguments, **options) if scenes is None else ScenePool(*arguments, n_scenes=scenes, **options)
    )


def _validation(network: Network, bank: TrainingBank, job: TrainingJob) -> list[Any]:
    """A few batches of scenes in which only held-out cells are heard; none if no cell is held out."""
    if not bank.validation:
        return []
    source = _batches(network, bank.validation, job, f"{network.stage}-validation", job.validation_cells)
    return [source.batch(index * network.settings.batches.steps_per_scene) for index in range(_VALIDATION_BATCHES)]


def _description(bank: TrainingBank, job: TrainingJob) -> dict[str, Any]:
    return {
        "training": [entry.name for entry in bank.training],
        "validation": [entry.name for entry in bank.validation],
        "left_out": bank.left_out,
        "seconds_of_each": job.bank_s,
        "sha256": bank_checksums(job.bank_files),
    }


def _key(trained_on: dict[str, Any], job: TrainingJob) -> str:
    blocks = {block: deciding(trained_on[block]) for block in ("scenes", "training")}
    run = {"step_version": _STEP_VERSION, "seed": job.seed, "threads": job.threads}
    return config_hash({**trained_on, **blocks, "run": run})


def _card(network: Network, trained_on: dict[str, Any], bank: TrainingBank) -> dict[str, Any]:
    scenes = network.settings.scenes
    return {
        "preset": network.preset,
        "architecture": network.settings.network.plain(),
        "sampling_rate_hz": scenes.sampling_rate_hz,
        "band_hz": list(scenes.band_hz),
        "trained_on": trained_on,
        "licence": {
            "cells": bank.licences,
            "note": "Trained on membrane currents simulated from cell models under these licences. Whether their terms "
            "reach as far as these weights is not settled: docs/architecture.md, Licences.",
        },
    }
