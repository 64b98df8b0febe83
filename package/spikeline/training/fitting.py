"""Train a LightningModule: from the start, or from where the last attempt was stopped."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins.environments import LightningEnvironment
from lightning.pytorch import LightningModule, Trainer

from spikeline.artifacts import Provenance
from spikeline.config.training import TrainingSettings
from spikeline.errors import ConfigError
from spikeline.training.batches import Batches, check_batches
from spikeline.training.checkpoint_plugin import CheckpointPlugin
from spikeline.training.checkpoints import Checkpoints
from spikeline.training.csv_log import read_log
from spikeline.training.folder_lock import folder_lock
from spikeline.training.identity import check_identity, identity
from spikeline.training.optimiser import brings_its_own, make_optimiser
from spikeline.training.prefetch import Prefetcher
from spikeline.training.quiet import quiet_lightning
from spikeline.training.random_states import seeded
from spikeline.training.reproducible import reproducible
from spikeline.training.step_end import TRAINING_LOG, VALIDATION_LOG, StepEnd
from spikeline.training.tensorboard_log import check_tensorboard
from spikeline.training.validation import Validation

__all__ = ["FitResult", "fit"]

_TIMING = ("wait_fraction", "steps_per_s")


@dataclass(frozen=True)
class FitResult:
    """What came out of a training besides the module, which now holds the weights to keep.

    Parameters
    ----------
    step
        After how many steps the module's weights were reached: all of them, or the best validation.
    resumed_from
        Step of the checkpoint this attempt went on from; 0 if there was none.
    losses, validations
        Rows of the two logs of the whole training, over all attempts, without what depends on the machine's speed.
    wait_fraction
        Share of this attempt's time that the model waited for batches; NaN if nothing was left to do.
    steps_per_s
        Of this attempt; NaN if nothing was left to do.
    """

    step: int
    resumed_from: int
    losses: list[dict[str, float]]
    validations: list[dict[str, float]]
    wait_fraction: float
    steps_per_s: float


def fit(
    module: LightningModule,
    batches: Batches,
    settings: TrainingSettings,
    folder: str | Path,
    *,
    name: str,
    seed: int,
    validation: Validation | None = None,
    threads: int | None = None,
    batch_threads: int = 1,
    provenance: Provenance | None = None,
) -> FitResult:
    """Train a module, in place.

    If the folder holds a checkpoint of this training, it goes on from there; a training that was killed at any moment
    and started again ends, on a CPU and with the same threads, in the same bytes of weights as one that was not.

    Parameters
    ----------
    module
        With a ``training_step(batch, index)`` that returns the loss, or a mapping with ``loss`` and further numbers to
        log. Its first weights are the caller's (made inside `spikeline.training.seeded`). If it defines
        ``configure_optimizers``, that is used; else settings decide.
    batches
        A pure function of the step; see `Batches`.
    settings
        How to train.
    folder
        Hidden work folder of this training alone (``.NAME.work-HASH``, HASH of everything the training depends on):
        checkpoints, ``training.csv``, ``validation.csv`` and, with ``settings.tensorboard``, TensorBoard's files in
        ``tensorboard``. Not an output; the caller deletes it once the weights are exported.
    name
        What is trained: names the random streams, and appears in messages.
    seed
        The run's root seed, for what the module draws while it is trained (dropout).
    validation
        Metrics to take now and then; see `Validation`.
    threads
        Threads of one torch operation; None leaves them as they are. They are part of what makes the bytes the same.
    batch_threads
        How many batches are made at the same time, ahead of the model. Changes no result.
    provenance
        For the checkpoints' manifests.

    Returns
    -------
    FitResult
        The module itself is left on the CPU, in evaluation mode.

    Raises
    ------
    NumericalError
        If a loss or weight is not finite; the checkpoint before is kept.
    DataError
        If batches are not a pure function of their step or lack something, the module returns no loss, or the folder
        belongs to another training.
    ConfigError
        If the settings do not fit together with what is passed, or ask for TensorBoard where it is not installed.
    """
    folder = Path(folder)
    _check_arguments(settings, validation, threads, batch_threads)
    with folder_lock(folder), quiet_lightning():
        checkpoints = Checkpoints(folder, provenance)
        mine = identity(module, settings, name, seed, validation is not None)
        found = checkpoints.newest()
        first, state = found if found is not None else (0, None)
        if state is not None:
            check_identity(mine, state["identity"], str(folder))
            print(f"training {name}: goes on after step {first} of {settings.steps}", flush=True)
            if (now := threads or torch.get_num_threads()) != state["threads"]:
                print(f"training {name}: with {now} threads after {state['threads']}: equal to rounding", flush=True)
        source = Prefetcher(batches, first, settings.steps, batch_threads)
        step_end = StepEnd(settings, checkpoints, source, name=name, seed=seed, validation=validation)
        step_end.stop.remember()
        plugin = CheckpointPlugin(checkpoints, state, mine)
        trainer = _trainer(settings, folder, [LightningEnvironment(), plugin], step_end)
        on_cpu = trainer.strategy.root_device.type == "cpu"
        if first < settings.steps:
            with reproducible(threads, on_cpu):  # what is made here may be kept, and be part of later batches
                check_batches(batches, first)
        if trainer.strategy.root_device.type == "cuda":
            source.finish = _pinned
        with (
            seeded(seed, "training", name),
            reproducible(threads, on_cpu),
            _optimiser_from(module, settings),
            contextlib.closing(source),
            contextlib.closing(step_end),
        ):
            _run(trainer, module, source, checkpoints.path(first) if state is not None else None)
        _load_kept(module, settings, step_end)
    module.eval()
    rows = read_log(folder / TRAINING_LOG)
    return FitResult(
        step=step_end.best["step"] if settings.keep == "best" else settings.steps,
        resumed_from=first,
        losses=[{key: value for key, value in row.items() if key not in _TIMING} for row in rows],
        validations=read_log(folder / VALIDATION_LOG),
        wait_fraction=step_end.wait_fraction,
        steps_per_s=step_end.steps_per_s,
    )


def _check_arguments(
    settings: TrainingSettings, validation: Validation | None, threads: int | None, batch_threads: int
) -> None:
    if settings.keep == "best" and validation is None:
        raise ConfigError("keep = best without validation", "something to choose the best by", "pass validation")
    if settings.tensorboard:
        check_tensorboard()
    for value, what in ((threads, "threads"), (batch_threads, "batch_threads")):
        if value is not None and value < 1:
            raise ConfigError(f"{what} = {value}", "at least 1", f"pass a positive number of {what}")


def _trainer(settings: TrainingSettings, folder: Path, plugins: list[Any], step_end: StepEnd) -> Trainer:
    if settings.accelerator == "gpu" and not torch.cuda.is_available():
        raise ConfigError(
            "accelerator = gpu, and torch sees none",
            "a GPU that torch can use",
            "set accelerator: auto, or install the torch build for your GPU and ask the scheduler for one",
        )
    return Trainer(
        accelerator=settings.accelerator,
        devices=1,
        precision=settings.precision,
        max_steps=settings.steps,
        max_epochs=-1,  # one epoch without end
        gradient_clip_val=settings.gradient_clip,
        plugins=plugins,  # the environment among them: inside a SLURM job Lightning would take over by itself
        callbacks=[step_end],
        default_root_dir=folder,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        limit_val_batches=0,
        use_distributed_sampler=False,
    )


@contextlib.contextmanager
def _optimiser_from(module: LightningModule, settings: TrainingSettings) -> Iterator[None]:
    """Give the module an optimiser for as long as it is trained, unless it has one."""
    if brings_its_own(module):
        yield
        return
    module.configure_optimizers = functools.partial(make_optimiser, module, settings)
    try:
        yield
    finally:
        del module.configure_optimizers


def _run(trainer: Trainer, module: LightningModule, source: Prefetcher, checkpoint: Path | None) -> None:
    try:
        trainer.fit(module, train_dataloaders=source, ckpt_path=None if checkpoint is None else str(checkpoint))
    except SystemExit as error:
        if isinstance(error.__context__, KeyboardInterrupt):  # Lightning turns Ctrl-C into an exit without a word
            raise KeyboardInterrupt from None
        raise


def _load_kept(module: LightningModule, settings: TrainingSettings, step_end: StepEnd) -> None:
    if settings.keep == "best":
        if not step_end.best:
            raise ConfigError(
                f"best_metric = {settings.best_metric} was never a number",
                "at least one validation at which it is",
                "change best_metric, or set keep: last and start again (in a new folder)",
            )
        module.load_state_dict(step_end.best["weights"])


def _pinned(batch: Any) -> Any:
    if isinstance(batch, torch.Tensor):
        return batch.pin_memory() if batch.device.type == "cpu" else batch  # made on the GPU: nothing to send
    if isinstance(batch, dict):
        return type(batch)((name, _pinned(part)) for name, part in batch.items())
    return type(batch)(_pinned(part) for part in batch)
