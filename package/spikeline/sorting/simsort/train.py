"""Train a network on the bank: from files of membrane currents to a file of weights with its card."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import spikeline
from spikeline.artifacts import Provenance, config_hash, write_csv
from spikeline.artifacts.provenance import git_commit
from spikeline.config.simsort import DetectorTrainingSettings, IdentifierTrainingSettings
from spikeline.simulation.bank import BankEntry
from spikeline.simulation.bank.slice_store import work_folder
from spikeline.sorting.simsort.training_bank import TrainingBank, bank_checksums, read_training_bank

if TYPE_CHECKING:
    import pandas as pd
    from lightning.pytorch import LightningModule
    from torch import nn

    from spikeline.sorting.simsort.identifier_training import IdentifierTraining
    from spikeline.training import Batches, FitResult

__all__ = ["TrainingJob", "train_detector_to_file", "train_identifier_to_file"]

_STEP_VERSION = 1  # of what a checkpoint belongs to: raised when one of older code must not be gone on from
_VALIDATION_BATCHES = 4
# What may change between two attempts, as in `spikeline.training.identity`.
_FREE = ("checkpoint_every_steps", "accelerator")


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
    threads: int = 1
    batch_threads: int = 1
    provenance: Provenance | None = None


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

    network = _Network(
        name="detector",
        settings=settings,
        make=lambda: DetectorTraining(Detector(**settings.network.plain())),
        weights=lambda module: module.detector,
        batches=lambda scenes: DetectionBatches(scenes, **dict(settings.batches)),
        finish=lambda module, source: None,
    )
    _train(network, job)


def train_identifier_to_file(settings: IdentifierTrainingSettings, job: TrainingJob) -> None:
    """Train the identifier, measure the scatter of its points within units, and write its weights.

    Otherwise as `train_detector_to_file`.
    """
    from spikeline.sorting.simsort.identification_batches import IdentificationBatches
    from spikeline.sorting.simsort.identifier import Identifier
    from spikeline.sorting.simsort.identifier_training import IdentifierTraining

    def settle(module: IdentifierTraining, source: Batches) -> None:
        # Batches steps_per_scene apart share no scene, and those from here on none with the training.
        apart = settings.batches.steps_per_scene
        first = settings.training.steps + apart
        module.settle([source.batch(first + apart * index) for index in range(settings.settling_batches)])

    network = _Network(
        name="identifier",
        settings=settings,
        make=lambda: IdentifierTraining(Identifier(**settings.network.plain())),
        weights=lambda module: module.identifier,
        batches=lambda scenes: IdentificationBatches(scenes, **dict(settings.batches)),
        finish=settle,
    )
    _train(network, job)


@dataclass(frozen=True)
class _Network:
    """What differs between the two."""

    name: str
    settings: DetectorTrainingSettings | IdentifierTrainingSettings
    make: Callable[[], LightningModule]
    weights: Callable[[Any], nn.Module]
    batches: Callable[[Any], Batches]
    finish: Callable[[Any, Batches], None]

    @property
    def stage(self) -> str:
        return f"simsort-{self.name}"


def _train(network: _Network, job: TrainingJob) -> None:
    from spikeline.simulation.recordings.blas import one_blas_thread
    from spikeline.training import export_weights, fit, seeded
    from spikeline.training.reproducible import reproducible

    output = Path(job.output)
    bank = read_training_bank(job.bank_files, job.bank_s, job.validation_cells, job.allowed_cells)
    trained_on = {**network.settings.plain(), "bank": _description(bank, job)}
    with one_blas_thread():
        with seeded(job.seed, f"{network.stage}-weights"):
            module = network.make()
        source = _batches(
            network, bank.training, job, network.stage, set(job.allowed_cells) - set(job.validation_cells)
        )
        result = fit(
            module,
            source,
            network.settings.training,
            work_folder(output, _key(trained_on, job)),
            name=network.stage,
            seed=job.seed,
            validation=_validation(network, bank, job) or None,
            threads=job.threads,
            batch_threads=job.batch_threads,
        )
        with reproducible(job.threads, on_cpu=True):
            network.finish(module, source)
    print(
        f"{network.stage}: {result.steps_per_s:.2f} steps/s, {result.wait_fraction:.0%} of the time spent waiting for "
        "batches",
        flush=True,
    )
    write_csv(job.log_csv, _log_table(network.name, result), schema="training-log", provenance=job.provenance)
    card = _card(network, trained_on, bank, job, result)
    export_weights(network.weights(module), output, card, provenance=job.provenance)
    for leftover in output.parent.glob(work_folder(output, "*").name):
        shutil.rmtree(leftover, ignore_errors=True)


def _batches(
    network: _Network, entries: Sequence[BankEntry], job: TrainingJob, stage: str, cells: Collection[str]
) -> Batches:
    from spikeline.sorting.simsort.training_scenes import TrainingScenes

    settings = network.settings
    keep = 2 * settings.batches.scenes_per_batch  # those of this step, and of the steps that are made ahead
    return network.batches(
        TrainingScenes(entries, settings.scenes, job.seed, stage=stage, allowed_cells=cells, keep=keep)
    )


def _validation(network: _Network, bank: TrainingBank, job: TrainingJob) -> list[Any]:
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
    deciding = {key: value for key, value in trained_on["training"].items() if key not in _FREE}
    run = {"step_version": _STEP_VERSION, "seed": job.seed, "threads": job.threads}
    return config_hash({**trained_on, "training": deciding, "run": run})


def _card(
    network: _Network, trained_on: dict[str, Any], bank: TrainingBank, job: TrainingJob, result: FitResult
) -> dict[str, Any]:
    scenes = network.settings.scenes
    return {
        "network": network.name,
        "architecture": network.settings.network.plain(),
        "sampling_rate_hz": scenes.sampling_rate_hz,
        "band_hz": list(scenes.band_hz),
        "trained_on": trained_on,
        "seed": job.seed,
        "threads": job.threads,
        "last": {"training": result.losses[-1], "validation": result.validations[-1] if result.validations else None},
        "licence": {
            "cells": bank.licences,
            "note": "Trained on membrane currents simulated from cell models under these licences. Whether their terms "
            "reach as far as these weights is not settled: docs/architecture.md, Licences.",
        },
        "package_version": spikeline.__version__,
        "git_commit": git_commit(),
    }


def _log_table(network: str, result: FitResult) -> pd.DataFrame:
    import pandas as pd

    rows = [
        {"network": network, "set": name, "step": row["step"], "metric": metric, "value": value}
        for name, log in (("training", result.losses), ("validation", result.validations))
        for row in log
        for metric, value in row.items()
        if metric != "step"
    ]
    return pd.DataFrame(rows, columns=["network", "set", "step", "metric", "value"])
