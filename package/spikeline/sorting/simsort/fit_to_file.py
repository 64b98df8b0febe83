"""A network fitted and written: what every training of one has in common, wherever its batches come from."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import spikeline
from spikeline.artifacts import Provenance, write_csv
from spikeline.artifacts.provenance import git_commit
from spikeline.config.training import TrainingSettings
from spikeline.simulation.bank.slice_store import work_folder

if TYPE_CHECKING:
    import pandas as pd
    from lightning.pytorch import LightningModule
    from torch import nn

    from spikeline.training import Batches, FitResult

__all__ = ["FIT_FACTS", "FitJob", "deciding", "fit_to_file"]

FIT_FACTS = ("network", "seed", "threads", "last", "package_version", "git_commit", "weights_sha256")
"""What a card says of the fit itself and of its file; the rest is known beforehand."""

# What may change between two attempts, as in `spikeline.training.identity`; of scenes, where they are made.
_FREE = ("checkpoint_every_steps", "accelerator", "tensorboard")


def deciding(settings: Mapping[str, Any]) -> dict[str, Any]:
    """A block of plain settings without those that change nothing of a fit's files: what `FitJob.key` is made of."""
    return {key: value for key, value in settings.items() if key not in _FREE}


@dataclass(frozen=True)
class FitJob:
    """Where a fit goes, and what makes it the same every time.

    Parameters
    ----------
    output
        Weights (``.safetensors``); the card goes beside them.
    log_csv
        Losses: one row per set (training or validation), step and metric.
    key
        Hash of everything the weights depend on: a stopped fit goes on only from checkpoints of the same key.
    seed
        The run's root seed.
    threads
        Of torch; they are part of what makes the bytes the same.
    batch_threads
        Batches that are made at the same time, ahead of the network. Changes no result.
    provenance
        For the manifests.
    """

    output: Path
    log_csv: str | Path
    key: str
    seed: int
    threads: int = 1
    batch_threads: int = 1
    provenance: Provenance | None = None


def fit_to_file(
    stage: str,
    make: Callable[[], LightningModule],
    source: Batches,
    schedule: TrainingSettings,
    job: FitJob,
    *,
    network: str,
    weights: Callable[[Any], nn.Module],
    card: dict[str, Any],
    validation: list[Any] | None = None,
    finish: Callable[[Any, Batches], None] = lambda module, source: None,
) -> None:
    """Fit a module, write its log, its weights and their card, and clear what was kept for going on.

    Parameters
    ----------
    stage
        Names the random streams and the training in messages.
    make
        Gives the module before the first step; what it draws is seeded.
    source
        Batches by step.
    schedule
        How to fit.
    job
        Files and threads.
    network
        Its name in the log and on the card.
    weights
        The part of the module that is written.
    card
        What is known of the weights beforehand; steps, losses, seed, threads, version and commit are added.
    validation
        Batches to validate on.
    finish
        Called with the fitted module and the source, before the weights are written.

    Raises
    ------
    NumericalError
        If a loss or weight is not finite.
    """
    from spikeline.blas import one_blas_thread
    from spikeline.training import export_weights, fit, seeded
    from spikeline.training.reproducible import reproducible

    with one_blas_thread():
        with seeded(job.seed, f"{stage}-weights"):
            module = make()
        result = fit(
            module,
            source,
            schedule,
            work_folder(job.output, job.key),
            name=stage,
            seed=job.seed,
            validation=validation or None,
            threads=job.threads,
            batch_threads=job.batch_threads,
        )
        with reproducible(job.threads, on_cpu=True):
            finish(module, source)
    print(
        f"{stage}: {result.steps_per_s:.2f} steps/s, {result.wait_fraction:.0%} of the time spent waiting for batches",
        flush=True,
    )
    write_csv(job.log_csv, _log_table(network, result), schema="training-log", provenance=job.provenance)
    facts = {
        "network": network,
        "seed": job.seed,
        "threads": job.threads,
        "last": {"training": result.losses[-1], "validation": result.validations[-1] if result.validations else None},
        "package_version": spikeline.__version__,
        "git_commit": git_commit(),
    }
    export_weights(weights(module), job.output, {**facts, **card}, provenance=job.provenance)
    for leftover in job.output.parent.glob(work_folder(job.output, "*").name):
        shutil.rmtree(leftover, ignore_errors=True)


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
